import type { Element } from '@xmldom/xmldom';
import { badRequest } from '../../../http/index.ts';
import { ATOM, SERVICE_BUS, XML, XSI } from '../xml/namespaces.ts';
import { child, children, readXml } from '../xml/read.ts';
import { add, createRoot, declare, serialize } from '../xml/write.ts';
import { type Context, encodePath, namespaceName, urlOf } from './context.ts';
import { formatSeconds } from './times.ts';

/** One thing in an Atom document. */
export interface Entry {
  /** `Topic/Subscriptions/Name` */
  readonly path: string;
  readonly title: string;
  /** Undefined: the service does not say. */
  readonly createdAtMs: number | undefined;
  readonly updatedAtMs: number;
  /** Subscriptions and rules have none. */
  readonly hasAuthor: boolean;
  /** Name of the element that describes it: `QueueDescription`. */
  readonly element: string;
  /** Fills that element. */
  readonly describe: (description: Element, context: Context) => void;
}

/** @returns the description within an Atom entry @throws HttpError 400 */
export function readEntry(body: Uint8Array): Element {
  if (body.byteLength === 0) throw badRequest('The request has no body.');
  const entry = readXml(body);
  if (entry.localName !== 'entry' || entry.namespaceURI !== ATOM) throw badRequest('The body is not an Atom entry.');
  const content = child(entry, ATOM, 'content');
  const description = content === undefined ? undefined : children(content)[0];
  if (description === undefined) throw badRequest('The Atom entry has no content.');
  if (description.namespaceURI !== SERVICE_BUS) {
    throw badRequest(`The description must be in the namespace '${SERVICE_BUS}'.`);
  }
  return description;
}

export function entryDocument(entry: Entry, context: Context): string {
  const root = createRoot(ATOM, 'entry');
  const url = urlOf(context, entry.path);
  fill(root, entry, url, url, context);
  return serialize(root);
}

export interface Page {
  /** Path of the list itself. */
  readonly path: string;
  /** Path and query as the client asked for it: some clients look for them in the answer. */
  readonly asked: string;
  readonly title: string;
  readonly entries: readonly Entry[];
  readonly skip: number;
  readonly top: number;
  /** Is there a page after this one? */
  readonly more: boolean;
  readonly nowMs: number;
}

export function feedDocument(page: Page, context: Context): string {
  const root = createRoot(ATOM, 'feed');
  const url = `${context.origin}${page.asked}`;
  add(root, 'title', page.title).setAttribute('type', 'text');
  add(root, 'id', url);
  add(root, 'updated', formatSeconds(page.nowMs));
  link(root, 'self', url);
  if (page.more) link(root, 'next', urlOf(context, page.path, { $skip: page.skip + page.top, $top: page.top }));
  for (const entry of page.entries) {
    const element = add(root, 'entry');
    element.setAttributeNS(XML, 'xml:base', url);
    // Relative to the list, as in the service's lists.
    fill(element, entry, urlOf(context, entry.path), relative(page, entry, context), context);
  }
  return serialize(root);
}

/** What the service answers, to anybody, for a path where nothing is. */
export function emptyFeed(context: Context, nowMs: number): string {
  const root = createRoot(ATOM, 'feed');
  add(root, 'title', 'Publicly Listed Services').setAttribute('type', 'text');
  add(root, 'subtitle', 'This is the list of publicly-listed services currently available.').setAttribute(
    'type',
    'text',
  );
  add(root, 'id', `${context.origin}/`);
  add(root, 'updated', formatSeconds(nowMs));
  add(root, 'generator', 'Service Bus 1.1');
  return serialize(root);
}

function fill(element: Element, entry: Entry, id: string, self: string, context: Context): void {
  add(element, 'id', id);
  add(element, 'title', entry.title).setAttribute('type', 'text');
  if (entry.createdAtMs !== undefined) add(element, 'published', formatSeconds(entry.createdAtMs));
  add(element, 'updated', formatSeconds(entry.updatedAtMs));
  if (entry.hasAuthor) add(add(element, 'author'), 'name', namespaceName(context));
  link(element, 'self', self);
  const content = add(element, 'content');
  content.setAttribute('type', 'application/xml');
  const description = add(content, entry.element, undefined, SERVICE_BUS);
  declare(description, '', SERVICE_BUS);
  declare(description, 'i', XSI);
  entry.describe(description, context);
}

function link(element: Element, rel: string, href: string): void {
  const found = add(element, 'link');
  found.setAttribute('rel', rel);
  found.setAttribute('href', href);
}

function relative(page: Page, entry: Entry, context: Context): string {
  const from = page.path.slice(0, page.path.lastIndexOf('/') + 1);
  const path =
    from.startsWith('$') || !entry.path.startsWith(from) ? `../${entry.path}` : entry.path.slice(from.length);
  return `${encodePath(path)}?api-version=${context.version}`;
}
