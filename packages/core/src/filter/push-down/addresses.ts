import { type Address, checkAddress, EVERYONE, MAX_ADDRESSES } from '../../contract/address.ts';
import { readAttribute } from '../attribute-value.ts';
import type { Condition } from '../condition.ts';
import type { FilterTarget, PushReason } from '../target.ts';
import { reasonFor } from './reasons.ts';

/**
 * A service that knows addresses and nothing else: an event is carried by the channel, or group, of each of its addresses.
 * A filter on `to`, the sorted list of them, says which channels an event that passes can be on. The whole filter is still
 * evaluated afterwards: a channel carries events for several addresses too.
 */
export function addressTarget(
  name: string,
  title: string,
  word: 'channel' | 'group',
): FilterTarget<readonly Address[]> {
  return {
    name,
    title,
    push(condition) {
      const addresses = addressesOf(condition);
      return {
        native: addresses,
        text: addresses === undefined ? '' : addresses.length === 0 ? `no ${word}` : addresses.join(', '),
        residual: condition,
        reasons: reasonsFor(condition, word),
        accepts: (event) => {
          if (addresses === undefined) return true;
          return carriersOf(readAttribute(event, 'to'))?.some((address) => addresses.includes(address)) ?? true;
        },
      };
    },
  };
}

/** Maximum number of channels of one filter; a longer list would not narrow it. */
const MAX_CHANNELS = 1_000;

/** The addresses whose channels can carry an event for which the condition holds; undefined: any may. */
function addressesOf(condition: Condition): readonly Address[] | undefined {
  switch (condition.kind) {
    case 'never':
      return [];
    case 'all': {
      const known = condition.of.map(addressesOf).filter((addresses) => addresses !== undefined);
      return known.sort((a, b) => a.length - b.length)[0];
    }
    case 'any': {
      const all = new Set<Address>();
      for (const part of condition.of) {
        const addresses = addressesOf(part);
        if (addresses === undefined) return undefined;
        for (const address of addresses) all.add(address);
      }
      return all.size <= MAX_CHANNELS ? [...all] : undefined;
    }
    case 'present':
      return condition.attribute === 'to' && condition.negated ? [EVERYONE] : undefined;
    case 'text':
      return condition.attribute === 'to' && !condition.negated ? unionOf(condition.values) : undefined;
    case 'element':
      return condition.attribute === 'to' && !condition.negated ? unionOf(condition.elements.map(String)) : undefined;
    default:
      return undefined;
  }
}

function unionOf(values: readonly string[]): readonly Address[] | undefined {
  const all = new Set<Address>();
  for (const value of values) {
    const carriers = carriersOf(value);
    if (carriers === undefined) return undefined;
    for (const address of carriers) all.add(address);
  }
  return all.size <= MAX_CHANNELS ? [...all] : undefined;
}

/** The channels on which an event with this `to` is; undefined if that is not for us to say. */
function carriersOf(to: unknown): readonly Address[] | undefined {
  if (to === undefined) return [EVERYONE];
  if (typeof to !== 'string') return undefined;
  const parts = to.split(',', MAX_ADDRESSES + 1);
  if (parts.length > MAX_ADDRESSES) return undefined;
  try {
    return parts.map(checkAddress);
  } catch {
    return undefined;
  }
}

function reasonsFor(condition: Condition, word: string): readonly PushReason[] {
  if (condition.kind === 'always') return [];
  const parts = condition.kind === 'all' ? condition.of : [condition];
  return parts.map((part) =>
    reasonFor(
      part,
      addressesOf(part) === undefined
        ? `a ${word} is an address, so only \`to = 'role:x'\`, \`to IN (…)\` and \`NOT EXISTS to\` select one`
        : `a ${word} also carries events for several addresses`,
    ),
  );
}
