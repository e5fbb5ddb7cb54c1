import { DOMImplementation, type Document, type Element, XMLSerializer } from '@xmldom/xmldom';
import { toXmlText } from './characters.ts';
import { XMLNS } from './namespaces.ts';

/** @returns the root element of a new document */
export function createRoot(namespace: string | null, name: string): Element {
  return new DOMImplementation().createDocument(namespace, name, null).documentElement!;
}

/** Adds a child in the parent's namespace, or in `namespace` when its name has a prefix. */
export function add(parent: Element, name: string, text?: string, namespace = parent.namespaceURI): Element {
  const element = (parent.ownerDocument as Document).createElementNS(namespace, name);
  if (text !== undefined && text !== '') element.textContent = toXmlText(text);
  parent.appendChild(element);
  return element;
}

/** Says a prefix at this element, so that what is below does not repeat it. */
export function declare(element: Element, prefix: string, namespace: string): void {
  element.setAttributeNS(XMLNS, prefix === '' ? 'xmlns' : `xmlns:${prefix}`, namespace);
}

export function serialize(root: Element): string {
  // A bare carriage return would reach the reader as a line feed.
  return new XMLSerializer().serializeToString(root).replaceAll('\r', '&#xD;');
}
