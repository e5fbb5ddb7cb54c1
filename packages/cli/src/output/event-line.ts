import type { BroadcastEvent, Delivery } from '@polycast/core';
import type { Terminal } from './terminal.ts';

/** An event as one line of CloudEvents JSON. */
export function eventLine(event: BroadcastEvent): string {
  return `${JSON.stringify(event)}\n`;
}

/** An event as one line for people: when, what, from whom, for whom, data. */
export function prettyEvent(event: BroadcastEvent, delivery: Delivery, colors: Terminal['colors']): string {
  const time = event.time === undefined ? '--:--:--.---' : new Date(event.time).toISOString().slice(11, 23);
  const to = typeof event.to === 'string' ? ` → ${event.to}` : '';
  const again = delivery.attempt > 1 ? colors.yellow(` (attempt ${delivery.attempt})`) : '';
  return `${colors.dim(time)} ${colors.cyan(oneLine(event.type))} ${colors.dim(oneLine(`${event.source}${to}`))}${again} ${showData(event)}\n`;
}

function showData(event: BroadcastEvent): string {
  const data: unknown = event.data;
  if (data === undefined) return '';
  if (data instanceof Uint8Array) return `<${data.length} bytes>`;
  return JSON.stringify(data);
}

/** What strangers sent must not move the cursor or colour the screen. JSON text cannot: it escapes control characters. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�');
}
