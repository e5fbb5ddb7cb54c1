import type { Reply } from '../../../http/index.ts';
import { badRequest } from '../../../http/index.ts';
import { type Entry, emptyFeed, feedDocument } from '../atom/document.ts';
import type { Call } from '../call.ts';
import { FEED_TYPE } from './entries.ts';

/** Size of a page, and the most one may ask for. */
export const PAGE_SIZE = 100;

/** One page of a list, as `$skip` and `$top` ask for it. */
export function listReply<Item>(
  call: Call,
  list: { readonly path: string; readonly title: string; readonly items: readonly Item[] },
  entryOf: (item: Item) => Entry,
): Reply {
  const skip = wholeNumber(call.request.query, '$skip', 0, 0);
  const top = Math.min(wholeNumber(call.request.query, '$top', PAGE_SIZE, 1), PAGE_SIZE);
  const body = feedDocument(
    {
      path: list.path,
      asked: call.request.url,
      title: list.title,
      entries: list.items.slice(skip, skip + top).map(entryOf),
      skip,
      top,
      more: list.items.length > skip + top,
      nowMs: call.broker.now(),
    },
    call.context,
  );
  return { status: 200, headers: { 'Content-Type': FEED_TYPE }, body };
}

export const nothingReply = (call: Call): Reply => ({
  status: 200,
  headers: { 'Content-Type': FEED_TYPE },
  body: emptyFeed(call.context, call.broker.now()),
});

function wholeNumber(query: URLSearchParams, name: string, otherwise: number, least: number): number {
  const text = query.get(name);
  if (text === null || text === '') return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (value < least)
    throw badRequest(`The value '${text.slice(0, 30)}' of '${name}' is not a number of ${least} or more.`);
  return value;
}
