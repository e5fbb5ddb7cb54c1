import { DOMParser, type Element } from '@xmldom/xmldom';
import { badRequest, HttpError } from '../../../http/index.ts';
import { checkBounds } from './bounds.ts';
import { isXmlText } from './characters.ts';
import { XSI } from './namespaces.ts';

const ELEMENT_NODE = 1;

/** @returns the root element @throws HttpError 400 for what is not well formed, has a DTD, or goes beyond the bounds */
export function readXml(bytes: Uint8Array): Element {
  const text = decode(bytes);
  checkBounds(text);
  let problem: string | undefined;
  const parser = new DOMParser({
    locator: false,
    // Of XML 1.0: the parser's own would also change characters that only XML 1.1 takes for line ends.
    normalizeLineEndings: (source) => source.replace(/\r\n?/g, '\n'),
    onError: (_level, message) => {
      // The parser takes it for a sign of a wrong encoding; ours has been checked, so the client sent it.
      if (message.startsWith('Unicode replacement character')) return;
      problem ??= message;
      throw new Error(message);
    },
  });
  try {
    const root = parser.parseFromString(text, 'text/xml').documentElement;
    if (root !== null) return root;
  } catch {
    // What the parser throws wraps what it told before.
  }
  throw badRequest(`The request body is not well-formed XML: ${(problem ?? 'no root element').slice(0, 200)}`);
}

function decode(bytes: Uint8Array): string {
  const utf16 =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(utf16, { fatal: true }).decode(bytes);
  } catch {
    throw badRequest('The request body is not UTF-8.');
  }
}

/** Child elements, in order. */
export function children(element: Element): Element[] {
  const found: Element[] = [];
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === ELEMENT_NODE) found.push(node as Element);
  }
  return found;
}

/** The first child element of that name, whatever its prefix. */
export function child(element: Element, namespace: string, name: string): Element | undefined {
  return children(element).find((one) => one.localName === name && one.namespaceURI === namespace);
}

/** @returns the text of an element without child elements @throws HttpError 400 if there are some */
export function textOf(element: Element): string {
  if (children(element).length > 0) throw badRequest(`The element '${element.localName}' must hold text only.`);
  const text = element.textContent ?? '';
  if (!isXmlText(text)) throw badRequest(`The element '${element.localName}' holds a character XML does not allow.`);
  return text;
}

/** Is it marked as absent, by `nil`? */
export function isNil(element: Element): boolean {
  const nil = element.getAttributeNS(XSI, 'nil');
  return nil === 'true' || nil === '1';
}

/**
 * The type an element is said to have (`type` of XML Schema Instance), its prefix looked up.
 * @throws HttpError 400 for a prefix nobody declared
 */
export function typeOf(element: Element): { readonly namespace: string | null; readonly name: string } | undefined {
  const value = element.getAttributeNS(XSI, 'type')?.trim();
  if (!value) return undefined;
  const colon = value.indexOf(':');
  const prefix = colon === -1 ? '' : value.slice(0, colon);
  const namespace = element.lookupNamespaceURI(prefix);
  if (colon !== -1 && namespace === null) {
    throw new HttpError(400, `The prefix of the type '${value.slice(0, 100)}' is not declared.`);
  }
  return { namespace, name: value.slice(colon + 1) };
}
