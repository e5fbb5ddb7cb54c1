import type { BroadcastEvent } from '@polycast/core';
import {
  BroadcastEvent as EventClass,
  type EventParts,
  type Lease,
  type Settlement,
  type Sink,
} from '@polycast/core/adapter';
import { interfere } from '../interfere.ts';
import type { Mutant } from './mutant.ts';

/** The same event with some parts changed. */
export function altered(event: BroadcastEvent, parts: Partial<EventParts>): BroadcastEvent {
  return new EventClass({
    type: event.type,
    source: event.source,
    id: event.id,
    time: event.time,
    expiresAtMs: event.expiresAtMs,
    sequence: event.sequence,
    data: event.data,
    attributes: event.attributes,
    ...parts,
  });
}

/** An event as a transport without numbering would bring it: so that core cannot tell repetitions by number. */
function unnumbered(event: BroadcastEvent, suffix: string): BroadcastEvent {
  return altered(event, { id: `${event.id}${suffix}`, sequence: undefined });
}

/** An event with one attribute under another name. */
function renamed(event: BroadcastEvent, from: string, to: string): BroadcastEvent {
  const { [from]: value, ...others } = event.attributes ?? {};
  return value === undefined ? event : altered(event, { attributes: { ...others, [to]: value } });
}

/** Mutants that break what comes in. */
export const deliveryMutants: readonly Mutant[] = [
  {
    name: 'loses',
    wrong: 'every seventh event without a lease is lost on its way to the sink',
    caughtBy: ['publish/', 'order/', 'history/calls'],
    breed(make) {
      let count = 0;
      return () =>
        interfere(make(), {
          deliver: (event, lease, next) => (lease === undefined && ++count % 7 === 0 ? true : next(event, lease)),
        });
    },
  },
  {
    name: 'duplicates',
    wrong: 'every fifth event comes twice, under another id',
    caughtBy: ['addressing/', 'subscribe/', 'history/calls'],
    breed(make) {
      let count = 0;
      return () =>
        interfere(make(), {
          deliver(event, lease, next) {
            const taken = next(event, lease);
            if (++count % 5 === 0) next(unnumbered(event, '-again'), undefined);
            return taken;
          },
        });
    },
  },
  {
    name: 'reorders',
    wrong: 'an event is held back until the next one has come',
    caughtBy: ['order/'],
    breed: (make) => () => {
      let held: (() => void) | undefined;
      return interfere(make(), {
        deliver(event, lease, next) {
          if (lease !== undefined) return next(event, lease);
          if (held === undefined) {
            const release = () => {
              if (held === release) held = undefined;
              next(event, undefined);
            };
            held = release;
            // Nothing is lost: without company it comes a little later.
            setTimeout(() => {
              if (held === release) release();
            }, 10);
            return true;
          }
          const release = held;
          const taken = next(event, lease);
          release();
          return taken;
        },
      });
    },
  },
  {
    name: 'group-spreads-keys',
    wrong: 'the service does not see partition keys: in a group, events of one key go to whichever member is next',
    caughtBy: ['order/partition-key-in-group'],
    breed: (make) => () =>
      interfere(make(), {
        publish: (batch, next) =>
          next(batch.map((one) => ({ ...one, event: renamed(one.event, 'partitionkey', 'hiddenkey') }))),
        deliver: (event, lease, next) => next(renamed(event, 'hiddenkey', 'partitionkey'), lease),
      }),
  },
  {
    name: 'counts-what-was-not-delivered',
    wrong: 'deliveries that were lost on their way count as attempts',
    caughtBy: ['settlement/'],
    breed: (make) => () =>
      interfere(make(), {
        lease: (lease) => ({
          attempt: lease.attempt === 1 ? 1 : lease.attempt + 3,
          ...(lease.position !== undefined && { position: lease.position }),
          settle: (settlement) => lease.settle(settlement),
          ...(lease.renew !== undefined && { renew: () => lease.renew!() }),
        }),
      }),
  },
  {
    name: 'corrupts-data',
    wrong: 'the character ü in data arrives as u',
    caughtBy: ['payloads/'],
    breed: (make) => () =>
      interfere(make(), {
        deliver: (event, lease, next) =>
          next(
            typeof event.data === 'string' ? altered(event, { data: event.data.replaceAll('ü', 'u') }) : event,
            lease,
          ),
      }),
  },
  {
    name: 'truncates-large',
    wrong: 'data of more than 50,000 characters is cut off',
    caughtBy: ['payloads/'],
    breed: (make) => () =>
      interfere(make(), {
        deliver: (event, lease, next) =>
          next(
            typeof event.data === 'string' && event.data.length > 50_000
              ? altered(event, { data: event.data.slice(0, 50_000) })
              : event,
            lease,
          ),
      }),
  },
  {
    name: 'bytes-become-text',
    wrong: 'bytes arrive as text',
    caughtBy: ['payloads/bytes'],
    breed: (make) => () =>
      interfere(make(), {
        deliver: (event, lease, next) =>
          next(
            event.data instanceof Uint8Array ? altered(event, { data: new TextDecoder().decode(event.data) }) : event,
            lease,
          ),
      }),
  },
  {
    name: 'drops-extensions',
    wrong: 'extension attributes other than Polycast’s own are left out',
    caughtBy: ['publish/attributes', 'subscribe/filter'],
    breed: (make) => () =>
      interfere(make(), {
        deliver(event, lease, next) {
          const kept = Object.entries(event.attributes ?? {}).filter(([name]) => KNOWN.has(name));
          return next(altered(event, { attributes: Object.fromEntries(kept) }), lease);
        },
      }),
  },
  {
    name: 'ignores-ttl',
    wrong: 'the expiry of events is lost on the way',
    caughtBy: ['ttl/'],
    breed: (make) => () =>
      interfere(make(), {
        deliver: (event, lease, next) => next(altered(event, { expiresAtMs: Number.POSITIVE_INFINITY }), lease),
      }),
  },
  {
    name: 'expires-too-soon',
    wrong: 'every event expires ten minutes early',
    caughtBy: ['ttl/'],
    breed: (make) => () =>
      interfere(make(), {
        deliver: (event, lease, next) =>
          next(
            event.expiresAtMs === Number.POSITIVE_INFINITY
              ? event
              : altered(event, { expiresAtMs: event.expiresAtMs - 600_000 }),
            lease,
          ),
      }),
  },
  {
    name: 'delivers-after-stop',
    wrong: 'a stopped source goes on delivering',
    caughtBy: ['lifecycle/source-stops'],
    breed: (make) => () => interfere(make(), { stop: async () => {} }),
  },
  {
    name: 'forgets-empty-data',
    wrong: 'empty text and empty bytes arrive as no data',
    caughtBy: ['payloads/empty-text', 'payloads/bytes-empty'],
    breed: (make) => () =>
      interfere(make(), {
        deliver(event, lease, next) {
          const data = event.data as unknown;
          const empty = data === '' || (data instanceof Uint8Array && data.length === 0);
          return next(empty ? altered(event, { data: undefined }) : event, lease);
        },
      }),
  },
  {
    name: 'never-answers-attempts',
    wrong: 'every lease says that it is the first attempt',
    caughtBy: ['settlement/attempts-count-in-group', 'settlement/attempts-run-out-in-group'],
    breed: (make) => () => interfere(make(), { lease: (lease) => relet(lease, { attempt: 1 }) }),
  },
  {
    name: 'never-hears-of-tries',
    wrong: 'what a member tried by itself is not counted for the next',
    caughtBy: ['settlement/attempts-here-count-there'],
    breed: (make) => () =>
      interfere(make(), {
        lease: (lease) =>
          relet(lease, {
            settle: (settlement) =>
              lease.settle(settlement.kind === 'release' ? { ...settlement, attempts: lease.attempt } : settlement),
          }),
      }),
  },
  {
    name: 'neighbours-share-an-outcome',
    wrong: 'deliveries that are settled in one turn all have the outcome of the first',
    caughtBy: ['settlement/attempts-here-count-there'],
    breed: (make) => () => {
      let first: Settlement | undefined;
      return interfere(make(), {
        lease: (lease) =>
          relet(lease, {
            settle(settlement) {
              if (first === undefined) {
                first = settlement;
                setTimeout(() => {
                  first = undefined;
                });
              }
              return lease.settle(first);
            },
          }),
      });
    },
  },
  {
    name: 'control-behind-paused',
    wrong: 'requests, replies and roll calls wait behind the events of a subscription that takes no more',
    caughtBy: ['request/paused'],
    breed: (make) => () => {
      const sinks = new Set<Sink>();
      return interfere(make(), {
        subscribe(request, sink, next) {
          sinks.add(sink);
          return next(request, sink);
        },
        deliver(event, lease, next) {
          const full = [...sinks].filter(({ capacity }) => capacity <= 0);
          if (!event.type.startsWith('polycast.') || full.length === 0) return next(event, lease);
          void Promise.all(full.map((sink) => sink.ready())).then(() => next(event, lease));
          return true;
        },
      });
    },
  },
  {
    name: 'never-redelivers',
    wrong: 'a released lease is accepted instead',
    caughtBy: ['groups/failing-member', 'settlement/attempts-count-in-group'],
    breed: (make) => () =>
      interfere(make(), {
        lease: (lease) =>
          relet(lease, {
            settle: (settlement) => lease.settle(settlement.kind === 'release' ? { kind: 'accept' } : settlement),
          }),
      }),
  },
  {
    name: 'never-accepts',
    wrong: 'an accepted lease is released instead, the first time',
    caughtBy: ['groups/'],
    breed: (make) => () =>
      interfere(make(), {
        lease: (lease) =>
          relet(lease, {
            settle: (settlement) =>
              lease.settle(
                settlement.kind === 'accept' && lease.attempt === 1 ? { kind: 'release', delayMs: 0 } : settlement,
              ),
          }),
      }),
  },
];

const KNOWN = new Set([
  'datacontenttype',
  'dataschema',
  'subject',
  'to',
  'partitionkey',
  'carboncopy',
  'replyto',
  'correlationid',
  'data_base64',
]);

function relet(lease: Lease, how: { attempt?: number; settle?: Lease['settle'] }): Lease {
  const made: Lease = {
    attempt: how.attempt ?? lease.attempt,
    ...(lease.position === undefined ? {} : { position: lease.position }),
    settle: how.settle ?? ((settlement) => lease.settle(settlement)),
  };
  if (lease.renew !== undefined) made.renew = () => lease.renew!();
  return made;
}
