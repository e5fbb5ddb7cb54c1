import type { BroadcastEvent } from '../event.ts';

/** The event as one line of CloudEvents 1.0 JSON. @throws PolycastError `invalid-payload` when the data is no JSON. */
export function encodeEvent(event: BroadcastEvent): string {
  return JSON.stringify(event);
}

/** Encoded events as one text: the CloudEvents JSON batch format; a lone event stands without brackets. */
export function encodeBatch(texts: readonly string[]): string {
  if (texts.length === 1) return texts[0]!;
  return `[${texts.join(',\n')}]`;
}
