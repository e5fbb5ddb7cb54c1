import type { Outcome } from '../broker/api.ts';
import { type AmqpMap, type AmqpValue, Described } from '../message/encoding/value.ts';
import { isPropertyValue } from '../message/message.ts';
import type { PropertyValue } from '../rules/index.ts';
import { OUTCOME } from './dispositions.ts';
import type { PeerState } from './outgoing-transfers.ts';

const DEAD_LETTER = 'com.microsoft:dead-letter';
const REASON = 'DeadLetterReason';
const DESCRIPTION = 'DeadLetterErrorDescription';

/** What the peer's outcome means to the broker. Without one, the delivery goes back. */
export function outcomeFor(state: PeerState | undefined): Outcome {
  switch (state?.code) {
    case OUTCOME.accepted:
      return { kind: 'complete' };
    case OUTCOME.rejected:
      return deadLetter(state.fields.any());
    case OUTCOME.modified: {
      state.fields.pass();
      const kind = state.fields.boolean() === true ? 'defer' : 'abandon';
      return { kind, ...modification(state.fields.any()) };
    }
    case OUTCOME.released:
      return { kind: 'release' };
    default:
      return { kind: 'abandon' };
  }
}

/** @param error the AMQP error of a rejected outcome: condition, description, info */
function deadLetter(error: AmqpValue | undefined): Outcome {
  const [condition, description, info] = error instanceof Described ? listOf(error.value) : [];
  const details: AmqpMap = info instanceof Map ? info : new Map();
  // Clients that know nothing of Service Bus give a condition and a description of their own.
  const reason = details.get(REASON) ?? (condition === DEAD_LETTER ? undefined : condition);
  const text = details.get(DESCRIPTION) ?? description;
  const others = new Map([...details].filter(([key]) => key !== REASON && key !== DESCRIPTION));
  return {
    kind: 'dead-letter',
    ...(typeof reason === 'string' ? { reason } : undefined),
    ...(typeof text === 'string' ? { description: text } : undefined),
    ...modification(others),
  };
}

/** Properties to change. */
export function modification(value: AmqpValue | undefined): { modify?: ReadonlyMap<string, PropertyValue> } {
  if (!(value instanceof Map) || value.size === 0) return {};
  const modify = new Map<string, PropertyValue>();
  for (const [key, item] of value as AmqpMap) {
    if (typeof key === 'string' && isPropertyValue(item)) modify.set(key, item);
  }
  return { modify };
}

function listOf(value: AmqpValue): readonly AmqpValue[] {
  return Array.isArray(value) ? value : [];
}
