import type { Element } from '@xmldom/xmldom';
import { badRequest } from '../../../http/index.ts';
import { formatDuration, parseDuration } from '../../../time/duration.ts';
import type { EntityStatus, PassedOver } from '../../broker/descriptions.ts';
import type { ApiVersion } from '../api-version.ts';
import { SERVICE_BUS } from '../xml/namespaces.ts';
import { children, isNil, textOf } from '../xml/read.ts';
import { add } from '../xml/write.ts';
import type { Context } from './context.ts';
import { forwardPath, forwardUrl } from './forward.ts';

/** One element of a description: what it is called there and here, and how it is read and written. */
export interface Part<Description, Info> {
  readonly element: string;
  /** Absent for what the service tells and nobody sets. */
  readonly key?: keyof Description;
  /** Is left out of answers when it is not set. */
  readonly isOptional?: boolean;
  /** Older versions of the API neither read nor write it. */
  readonly since?: ApiVersion;
  /** @throws HttpError 400 */
  readonly read?: (element: Element, context: Context) => unknown;
  /** @returns the element's text; undefined leaves it out; a function adds the element itself */
  readonly write: (info: Info, context: Context) => string | undefined | ((parent: Element) => void);
}

type KeysOf<Description, Value> = {
  [Key in keyof Description]-?: Description[Key] extends Value ? Key : never;
}[keyof Description];

const STATUSES: readonly EntityStatus[] = ['Active', 'Disabled', 'SendDisabled', 'ReceiveDisabled'];

/** Makers of parts for one kind of entity. */
export function partsOf<Description, Info extends { readonly description: Readonly<Description> }>() {
  type Made = Part<Description, Info>;
  const value = (info: Info, key: keyof Description): unknown => info.description[key];
  return {
    duration: (element: string, key: KeysOf<Description, number>): Made => ({
      element,
      key,
      read: (found) => parseDuration(trimmed(found)) ?? invalid(found, 'an ISO 8601 duration'),
      write: (info) => formatDuration(value(info, key) as number),
    }),
    integer: (element: string, key: KeysOf<Description, number>, since?: ApiVersion): Made => ({
      element,
      key,
      ...(since === undefined ? {} : { since }),
      read: readInteger,
      write: (info) => String(value(info, key)),
    }),
    boolean: (element: string, key: KeysOf<Description, boolean>): Made => ({
      element,
      key,
      read: readBoolean,
      write: (info) => String(value(info, key)),
    }),
    text: (element: string, key: KeysOf<Description, string>): Made => ({
      element,
      key,
      isOptional: true,
      read: textOf,
      write: (info) => (value(info, key) as string) || undefined,
    }),
    status: (element: string, key: KeysOf<Description, EntityStatus>): Made => ({
      element,
      key,
      read: (found) =>
        STATUSES.find((one) => one === trimmed(found)) ?? invalid(found, `one of ${STATUSES.join(', ')}`),
      write: (info) => String(value(info, key)),
    }),
    forward: (element: string, key: KeysOf<Description, string | undefined>): Made => ({
      element,
      key,
      isOptional: true,
      read: (found, context) => forwardPath(trimmed(found), context) || undefined,
      write: (info, context) => {
        const path = value(info, key) as string | undefined;
        return path === undefined ? undefined : forwardUrl(path, context);
      },
    }),
    /** What the service tells and nobody sets. */
    told: (element: string, write: Made['write'], since?: ApiVersion): Made => ({
      element,
      ...(since === undefined ? {} : { since }),
      write,
    }),
  };
}

/**
 * Reads as the service does, which has its elements in an order: one that comes after one of those that follow it is passed
 * over, and only told back. Elements that are not known, and those marked as nil, say nothing.
 * @throws HttpError 400
 */
export function readParts<Description extends { passedOver: PassedOver }, Info>(
  description: Element,
  parts: readonly Part<Description, Info>[],
  context: Context,
): Partial<Description> {
  const read: Partial<Description> = {};
  const seen = new Set<string>();
  const passedOver = new Map<string, string>();
  let last = -1;
  for (const element of children(description)) {
    if (element.namespaceURI !== SERVICE_BUS) continue;
    const index = parts.findIndex((one) => one.element === element.localName);
    const part = parts[index];
    if (part === undefined || tooNew(part, context)) continue;
    if (seen.has(part.element)) throw badRequest(`The element '${part.element}' occurs twice.`);
    seen.add(part.element);
    const isLate = index < last;
    if (!isLate) last = index;
    if (part.key === undefined || part.read === undefined || isNil(element)) continue;
    if (!isLate) read[part.key] = part.read(element, context) as Description[keyof Description];
    else if (part.isOptional) passedOver.set(part.element, textOf(element));
  }
  read.passedOver = passedOver;
  return read;
}

export function writeParts<Description, Info extends { readonly description: { readonly passedOver: PassedOver } }>(
  parent: Element,
  parts: readonly Part<Description, Info>[],
  info: Info,
  context: Context,
): void {
  const left: string[] = [];
  for (const part of parts) {
    if (tooNew(part, context)) continue;
    const written = part.write(info, context);
    if (typeof written === 'function') written(parent);
    else if (written !== undefined) add(parent, part.element, written);
    else left.push(part.element);
  }
  for (const element of left) {
    const text = info.description.passedOver.get(element);
    if (text !== undefined) add(parent, element, text);
  }
}

const tooNew = (part: { readonly since?: ApiVersion }, context: Context): boolean =>
  part.since !== undefined && context.version < part.since;

const trimmed = (element: Element): string => textOf(element).trim();

export function readInteger(element: Element): number {
  const text = trimmed(element);
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : invalid(element, 'a whole number');
}

export function readBoolean(element: Element): boolean {
  const text = trimmed(element);
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : invalid(element, 'true or false');
}

function invalid(element: Element, wanted: string): never {
  throw badRequest(`The value '${trimmed(element).slice(0, 100)}' of '${element.localName}' is not ${wanted}.`);
}
