import { PolycastError } from '@polycast/core/adapter';
import { interfere, type Publishing, type Sent } from '../interfere.ts';
import { pass } from '../wait.ts';
import { altered } from './delivery.ts';
import type { Mutant } from './mutant.ts';

const toEveryone = (one: Sent): Sent => ({ ...one, to: ['*'] });

/** Mutants that break what goes out. */
export const publishMutants: readonly Mutant[] = [
  {
    name: 'loses-the-tail-of-batches',
    wrong: 'the last event of a batch of three or more is not sent',
    caughtBy: ['native/order'],
    breed: (make) => () =>
      interfere(make(), { publish: (batch, next) => next(batch.length > 2 ? batch.slice(0, -1) : batch) }),
  },
  {
    name: 'publishes-to-everyone',
    wrong: 'events for one role are published to everyone',
    caughtBy: ['addressing/role', 'addressing/prefixes'],
    breed: (make) => () =>
      interfere(make(), {
        publish: (batch, next, at) =>
          next(batch.map((one) => (one.to.some((to) => to.startsWith('role:')) ? strip(toEveryone(one), at) : one))),
      }),
  },
  {
    name: 'addresses-by-prefix',
    wrong: 'an event for a role goes to the first letter of the role',
    caughtBy: ['addressing/role', 'addressing/own-role'],
    breed: (make) => () =>
      interfere(make(), {
        publish: (batch, next) =>
          next(
            batch.map((one) => ({
              ...one,
              to: one.to.map((to) => (to.startsWith('role:') ? (to.slice(0, 6) as `role:${string}`) : to)),
            })),
          ),
      }),
  },
  {
    name: 'first-address-only',
    wrong: 'of several addresses only the first is served',
    caughtBy: ['addressing/two-roles', 'addressing/two-instances'],
    breed: (make) => () =>
      interfere(make(), { publish: (batch, next) => next(batch.map((one) => ({ ...one, to: one.to.slice(0, 1) }))) }),
  },
  {
    name: 'once-per-address',
    wrong: 'a recipient gets an event once for each of its addresses',
    caughtBy: ['addressing/role-and-instance-overlap'],
    breed: (make) => () =>
      interfere(make(), {
        async publish(batch, next, at) {
          for (const one of batch) {
            for (const [index, to] of one.to.entries())
              await next([index === 0 ? { ...one, to: [to] } : { ...again(one, at), to: [to] }]);
          }
        },
      }),
  },
  {
    name: 'leaks-to-a-foreign-topic',
    wrong: 'every event is published on every topic of the process as well',
    caughtBy: ['addressing/foreign-topics', 'groups/same-name-on-two-topics'],
    breed(make) {
      const topics = new Set<string>();
      return () =>
        interfere(make(), {
          open(context, next) {
            topics.add(context.topic);
            return next(context);
          },
          publish(batch, next, at) {
            const { topic } = at;
            // Kin only: cases that run beside one another would drown each other.
            const kin = [...topics].filter(
              (other) => other !== topic && (other.startsWith(topic) || topic.startsWith(other)),
            );
            return next([
              ...batch,
              ...batch.flatMap((one) => kin.map((other) => ({ ...again(one, at), topic: other }))),
            ]);
          },
        });
    },
  },
  {
    name: 'ignores-the-time-to-wait',
    wrong: 'an error does not say how long the service asks to be left alone',
    caughtBy: ['publish/throttled'],
    breed: (make) => () =>
      interfere(make(), {
        publish: async (batch, next) => {
          try {
            return await next(batch);
          } catch (thrown) {
            throw thrown instanceof PolycastError ? new PolycastError(thrown.code, 'no time is named') : thrown;
          }
        },
      }),
  },
  {
    name: 'swallows-publish-errors',
    wrong: 'a publish that the service refuses resolves',
    caughtBy: ['faults/kill-publish'],
    breed: (make) => () => {
      const transport = make();
      return interfere(transport, {
        async publish(batch, next) {
          try {
            await next(batch);
          } catch {
            // The defect.
          }
        },
      });
    },
  },
  {
    name: 'resolves-too-early',
    wrong: 'publish resolves before the service has the event, and close does not wait for it',
    caughtBy: ['publish/'],
    breed: (make) => () =>
      interfere(make(), {
        publish(batch, next) {
          // What the service refuses later nobody hears of: it must not be taken for a fault of the next run.
          void pass(20)
            .then(() => next(batch))
            .catch(() => {});
        },
      }),
  },
  {
    name: 'stuck',
    wrong: 'the tenth publish of a link never resolves',
    caughtBy: ['publish/', 'order/'],
    breed: (make) => () => {
      let count = 0;
      return interfere(make(), {
        publish: (batch, next) => (++count === 10 ? new Promise<void>(() => {}) : next(batch)),
      });
    },
  },
];

/** The event once more, as a service would bring it that knows nothing of numbers. */
function again(one: Sent, at: Publishing): Sent {
  return at.rewrite(one, altered(one.event, { id: `${one.event.id}-again`, sequence: undefined }));
}

/** The event without the attribute that says whom it is for. */
function strip(one: Sent, at: Publishing): Sent {
  const attributes = { ...one.event.attributes };
  delete attributes.to;
  return at.rewrite(one, altered(one.event, { attributes }));
}
