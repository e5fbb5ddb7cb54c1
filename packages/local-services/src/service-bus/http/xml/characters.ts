/** What XML 1.0 allows nowhere in a document, not even escaped. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const EVERY_NOT_XML = new RegExp(NOT_XML, 'gu');

export const isXmlText = (text: string): boolean => !NOT_XML.test(text);
export const toXmlText = (text: string): string => text.replace(EVERY_NOT_XML, '\ufffd');
