import { badRequest } from '../../../http/index.ts';
import { MAX_XML_ATTRIBUTES, MAX_XML_DEPTH, MAX_XML_ELEMENTS } from './limits.ts';

/**
 * Reads no more of a document than its shape, so that the parser never sees one that could keep it busy: nested
 * thousands deep, or with entities that multiply. Does not say that a document is well formed.
 * @throws HttpError 400
 */
export function checkBounds(text: string): void {
  let depth = 0;
  let elements = 0;
  let at = text.indexOf('<');
  while (at !== -1) {
    const next = text[at + 1];
    if (next !== '/' && ++elements > MAX_XML_ELEMENTS) throw badRequest('The document has too many elements.');
    if (next === '!') {
      if (text.startsWith('<!--', at)) at = endOf(text, '-->', at + 4);
      else if (text.startsWith('<![CDATA[', at)) at = endOf(text, ']]>', at + 9);
      else throw badRequest('A document type declaration is not allowed.');
    } else if (next === '?') at = endOf(text, '?>', at + 2);
    else if (next === '/') {
      depth--;
      at = endOf(text, '>', at + 2);
    } else {
      const tag = endOfTag(text, at + 1);
      if (text[tag - 1] !== '/' && ++depth > MAX_XML_DEPTH) throw badRequest('The document is nested too deeply.');
      at = tag;
    }
    at = text.indexOf('<', at);
  }
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  if (found === -1) throw badRequest('The document ends in the middle of its markup.');
  return found + mark.length;
}

/** @returns index of the `>` that closes a start tag: one inside quotes does not */
function endOfTag(text: string, from: number): number {
  let attributes = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '>') return at;
    if (character === '"' || character === "'") {
      if (++attributes > MAX_XML_ATTRIBUTES) throw badRequest('An element has too many attributes.');
      at = text.indexOf(character, at + 1);
      if (at === -1) break;
    }
  }
  throw badRequest('The document ends in the middle of its markup.');
}
