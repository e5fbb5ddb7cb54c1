import { PolycastError } from '../error.ts';
import { type AttributeValue, BroadcastEvent } from '../event.ts';
import { fromBase64 } from './base64.ts';
import { parseJson } from './json.ts';
import { type DecodeLimits, MAX_BATCH_EVENTS, MAX_TEXT_LENGTH } from './limits.ts';

/**
 * Reads one event or a JSON batch. `each` gets every event in order; `corrupt` gets a `corrupt-event` error for
 * whatever is none, after which reading goes on if it can. Never throws, unless a callback does.
 */
export function decodeEvents(
  text: string,
  each: (event: BroadcastEvent) => void,
  corrupt: (error: PolycastError) => void,
  limits: DecodeLimits = {},
): void {
  let events: unknown[];
  try {
    if (text.length > (limits.maxTextLength ?? MAX_TEXT_LENGTH))
      throw refuse(`text of ${text.length} units is too long`);
    const value = parseJson(text);
    events = Array.isArray(value) ? value : [value];
    if (events.length > (limits.maxEvents ?? MAX_BATCH_EVENTS))
      throw refuse(`batch of ${events.length} events is too long`);
  } catch (error) {
    corrupt(PolycastError.from(error, 'corrupt-event'));
    return;
  }
  for (const value of events) {
    let event: BroadcastEvent;
    try {
      event = eventFrom(value);
    } catch (error) {
      corrupt(PolycastError.from(error, 'corrupt-event'));
      continue;
    }
    each(event);
  }
}

function eventFrom(value: unknown): BroadcastEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('an event must be an object');
  const { specversion, id, source, type, time, expirytime, sequence, data, data_base64, ...rest } = value as Record<
    string,
    unknown
  >;
  if (specversion !== '1.0') throw refuse('specversion must be "1.0"');
  if (typeof id !== 'string' || id === '') throw refuse('id must be a non-empty string');
  if (typeof source !== 'string' || source === '') throw refuse('source must be a non-empty string');
  if (typeof type !== 'string' || type === '') throw refuse('type must be a non-empty string');
  const attributes: Record<string, AttributeValue> = {};
  for (const [name, attribute] of Object.entries(rest)) {
    if (!/^[a-z0-9]+$/.test(name))
      throw refuse(`attribute name ${JSON.stringify(name)} must be lower-case letters and digits`);
    if (attribute === null) continue;
    if (typeof attribute !== 'string' && typeof attribute !== 'boolean' && !Number.isInteger(attribute)) {
      throw refuse(`attribute ${name} must be a string, a boolean or an integer`);
    }
    attributes[name] = attribute as AttributeValue;
  }
  let payload = data;
  if (typeof data_base64 === 'string') {
    payload = fromBase64(data_base64);
    if (payload === undefined) throw refuse('data_base64 is not base64');
  }
  const expiresAtMs = typeof expirytime === 'string' ? Date.parse(expirytime) : Number.POSITIVE_INFINITY;
  if (Number.isNaN(expiresAtMs)) throw refuse('expirytime is not a time');
  const epoch = typeof sequence === 'string' ? sequence.slice(0, sequence.indexOf('.') + 1) : '';
  return new BroadcastEvent({
    type,
    source,
    id,
    epoch: epoch !== '' && id.startsWith(epoch) ? epoch.slice(0, -1) : undefined,
    time: typeof time === 'string' ? time : undefined,
    expiresAtMs,
    sequence: typeof sequence === 'string' ? sequence : undefined,
    data: payload,
    attributes: Object.keys(attributes).length > 0 ? attributes : undefined,
  });
}

function refuse(reason: string): PolycastError {
  return new PolycastError('corrupt-event', reason);
}
