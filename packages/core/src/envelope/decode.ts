import { PolycastError } from '../contract/error.ts';
import type { BroadcastEvent } from './event.ts';
import { endOfValue, skipSpace } from './json.ts';
import { LayoutReader } from './layout.ts';
import { type DecodeLimits, MAX_DECODED_EVENTS, MAX_TEXT_LENGTH } from './limits.ts';
import { MAX_EVENT_DEPTH, readEvent, refuse } from './read-event.ts';

/**
 * Reads one event or a JSON batch. `each` gets every event in order; `corrupt` gets a `corrupt-event` error for whatever
 * is none, after which reading goes on behind it, as long as it is clear where that is. Never throws, unless a callback does.
 *
 * Events in the layout of {@link encodeEvent} keep their data as text until it is read: what is wrong inside it then
 * surfaces there.
 */
export function decodeEvents(
  text: string,
  each: (event: BroadcastEvent) => void,
  corrupt: (error: PolycastError) => void,
  limits?: DecodeLimits,
): void {
  const maxTextLength = limits?.maxTextLength ?? MAX_TEXT_LENGTH;
  if (text.length > maxTextLength) {
    corrupt(refuse(`the message is longer than ${maxTextLength}`));
    return;
  }
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_BRACKET) {
    decodeOne(text, at, each, corrupt);
    return;
  }
  const maxEvents = limits?.maxEvents ?? MAX_DECODED_EVENTS;
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) === CLOSE_BRACKET) {
    expectEnd(text, at + 1, corrupt);
    return;
  }
  for (let count = 1; ; count++) {
    if (count > maxEvents) {
      corrupt(refuse(`the batch holds more than ${maxEvents} events`));
      return;
    }
    let event = layout.read(text, at, true);
    // Kept apart, because a callback may come back here with another text.
    let end = layout.end;
    if (event === undefined) {
      end = endOfValue(text, at, MAX_EVENT_DEPTH);
      if (end < 0) {
        corrupt(refuse(end === -2 ? 'an event is nested too deeply' : 'the batch is incomplete'));
        return;
      }
      event = readOr(text, at, end, corrupt);
    }
    if (event !== undefined) each(event);
    at = skipSpace(text, end);
    const unit = text.charCodeAt(at);
    if (unit === CLOSE_BRACKET) {
      expectEnd(text, at + 1, corrupt);
      return;
    }
    if (unit !== COMMA) {
      corrupt(refuse('the batch is incomplete'));
      return;
    }
    at = skipSpace(text, at + 1);
  }
}

function decodeOne(
  text: string,
  at: number,
  each: (event: BroadcastEvent) => void,
  corrupt: (error: PolycastError) => void,
): void {
  let event = layout.read(text, at, false);
  let end = layout.end;
  if (event === undefined) {
    end = endOfValue(text, at, MAX_EVENT_DEPTH);
    if (end < 0) {
      corrupt(refuse(end === -2 ? 'the event is nested too deeply' : 'the message is not a complete JSON object'));
      return;
    }
    event = readOr(text, at, end, corrupt);
  }
  if (event !== undefined && expectEnd(text, end, corrupt)) each(event);
}

function readOr(
  text: string,
  at: number,
  end: number,
  corrupt: (error: PolycastError) => void,
): BroadcastEvent | undefined {
  try {
    return readEvent(text, at, end);
  } catch (error) {
    corrupt(PolycastError.from(error, 'corrupt-event'));
    return undefined;
  }
}

function expectEnd(text: string, at: number, corrupt: (error: PolycastError) => void): boolean {
  if (skipSpace(text, at) === text.length) return true;
  corrupt(refuse('unexpected content after the end'));
  return false;
}

const layout = new LayoutReader();

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
