import type { Transport } from '@polycast/core';
import type { Lease } from '@polycast/core/adapter';
import type { ViolationKind } from '../history/judge/violation.ts';
import { interfere } from '../interfere.ts';

/** A transport with a defect that shows only in histories: the soak must find it. */
export interface SoakMutant {
  readonly name: string;
  /** What it does wrong, in one sentence. */
  readonly wrong: string;
  /** What it must be found by. */
  readonly caughtBy: readonly ViolationKind[];
  around(transport: Transport): Transport;
}

export const MUTANTS: readonly SoakMutant[] = [
  {
    name: 'forgets-a-batch',
    wrong: 'every ninth batch resolves without having been sent',
    caughtBy: ['unannounced', 'lost'],
    around(transport) {
      let batches = 0;
      return interfere(transport, {
        publish: async (batch, next) => (++batches % 9 === 0 ? undefined : next(batch)),
      });
    },
  },
  {
    name: 'retries-out-of-order',
    wrong: 'every fifth batch is sent after the next one',
    caughtBy: ['reordered'],
    around(transport) {
      let batches = 0;
      let held: (() => void) | undefined;
      return interfere(transport, {
        async publish(batch, next) {
          if (++batches % 5 === 0) {
            await new Promise<void>((resolve) => {
              held = resolve;
              setTimeout(resolve, 30);
            });
            return next(batch);
          }
          const result = await next(batch);
          held?.();
          held = undefined;
          return result;
        },
      });
    },
  },
  {
    name: 'reverses-batches',
    wrong: 'the events of a batch are sent backwards',
    caughtBy: ['reordered'],
    around: (transport) => interfere(transport, { publish: (batch, next) => next([...batch].reverse()) }),
  },
  {
    name: 'accepts-before-handling',
    wrong: 'a lease is accepted before the handler has seen the event',
    caughtBy: ['unannounced', 'lost', 'tries'],
    around: (transport) =>
      interfere(transport, {
        lease(lease): Lease {
          const accepted = lease.settle({ kind: 'accept' });
          return relet(lease, { settle: () => accepted });
        },
      }),
  },
  {
    name: 'never-redelivers',
    wrong: 'a released lease is accepted instead',
    caughtBy: ['unannounced', 'lost', 'tries'],
    around: (transport) =>
      interfere(transport, {
        lease: (lease) =>
          relet(lease, {
            settle: (settlement) => lease.settle(settlement.kind === 'release' ? { kind: 'accept' } : settlement),
          }),
      }),
  },
  {
    name: 'counts-attempts-twice',
    wrong: 'every lease says that it is one attempt later than it is',
    caughtBy: ['attempts', 'tries'],
    around: (transport) =>
      interfere(transport, {
        lease: (lease) => relet(lease, { attempt: lease.attempt + 1 }),
      }),
  },
  {
    name: 'keeps-signals-to-itself',
    wrong: 'signals of the connection never reach core',
    caughtBy: ['unannounced'],
    around: (transport) => interfere(transport, { open: (context, next) => next({ ...context, signal: () => {} }) }),
  },
  {
    name: 'cries-wolf',
    wrong: 'a gap is signalled now and then though nothing is missing',
    caughtBy: ['false-signal'],
    around(transport) {
      let events = 0;
      return interfere(transport, {
        deliver(event, lease, next, { context }) {
          if (++events % 40 === 0) context.signal({ kind: 'reconnected', downMs: 1, mayHaveLost: true });
          return next(event, lease);
        },
      });
    },
  },
  {
    name: 'leaves-a-timer',
    wrong: 'a closed link leaves a timer running',
    caughtBy: ['residue'],
    around: (transport) =>
      interfere(transport, {
        async closeLink(next) {
          await next();
          setInterval(() => {}, 10_000);
        },
      }),
  },
  {
    name: 'throws-where-it-hurts',
    wrong: 'a lost connection throws where nothing can catch it',
    caughtBy: ['died'],
    around: (transport) =>
      interfere(transport, {
        open: (context, next) =>
          next({
            ...context,
            signal(signal) {
              context.signal(signal);
              if (signal.kind === 'disconnected') setImmediate(() => undefinedMember().boom);
            },
          }),
      }),
  },
  {
    name: 'spins-after-a-cut',
    wrong: 'once disconnected, the process never comes to rest',
    caughtBy: ['silent', 'busy'],
    around: (transport) =>
      interfere(transport, {
        open: (context, next) =>
          next({
            ...context,
            signal(signal) {
              context.signal(signal);
              if (signal.kind === 'disconnected') spin();
            },
          }),
      }),
  },
];

/** Leases may be objects with private parts: nothing can be copied by spreading them. */
function relet(lease: Lease, how: { attempt?: number; settle?: Lease['settle'] }): Lease {
  const { position, ageMs } = lease as Lease & { readonly ageMs?: number };
  const made: Lease & { readonly ageMs?: number } = {
    attempt: how.attempt ?? lease.attempt,
    settle: how.settle ?? ((settlement) => lease.settle(settlement)),
    ...(position !== undefined && { position }),
    ...(ageMs !== undefined && { ageMs }),
  };
  if (lease.renew !== undefined) made.renew = () => lease.renew!();
  return made;
}

function undefinedMember(): { readonly boom: unknown } {
  return undefined as unknown as { readonly boom: unknown };
}

function spin(): void {
  queueMicrotask(spin);
}
