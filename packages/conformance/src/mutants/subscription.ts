import type { Address, BroadcastEvent } from '@polycast/core';
import type { Sink, SourceRequest } from '@polycast/core/adapter';
import { comparing } from '../filter-targets.ts';
import { interfere } from '../interfere.ts';
import { withFilterTarget } from '../push-down.ts';
import { pass } from '../wait.ts';
import { altered } from './delivery.ts';
import type { Mutant } from './mutant.ts';

const EVERYTHING = { kind: 'constant', value: true } as const;

/** Mutants that break listening, closing and what is said of oneself. */
export const subscriptionMutants: readonly Mutant[] = [
  {
    name: 'two-of-a-group',
    wrong: 'every member of a group gets every event',
    caughtBy: ['groups/one-of-two', 'native/groups'],
    breed: (make) => () =>
      interfere(make(), { subscribe: (request, sink, next) => next({ ...request, group: undefined }, sink) }),
  },
  {
    name: 'one-group-for-all',
    wrong: 'groups of different names are one group',
    caughtBy: ['groups/each-group-and-everyone'],
    breed: (make) => () =>
      interfere(make(), {
        subscribe: (request, sink, next) =>
          next(request.group === undefined ? request : { ...request, group: 'all' }, sink),
      }),
  },
  {
    name: 'deaf-to-its-role',
    wrong: 'a subscription does not listen to its role',
    caughtBy: ['addressing/role', 'history/calls'],
    breed: (make) => () =>
      interfere(make(), {
        open: (context, next) => next({ ...context, self: { ...context.self, role: 'nobody' } }),
        subscribe: (request, sink, next) =>
          next({ ...request, addresses: request.addresses.filter((address) => !address.startsWith('role:')) }, sink),
      }),
  },
  {
    name: 'withholds-what-fits',
    wrong: 'the service takes events that lack an attribute for events that do not fit',
    caughtBy: ['filter/missing-guarded', 'filter/not-exists', 'filter/not-sql'],
    breed: (make) => () =>
      withFilterTarget(make(), {
        ...comparing,
        push(condition, options) {
          const pushed = comparing.push(condition, options);
          return {
            ...pushed,
            native: pushed.native ?? EVERYTHING,
            accepts: (event) => pushed.accepts(event) && event.region !== undefined,
          };
        },
      }),
  },
  {
    name: 'ends-what-is-shared',
    wrong: 'the first link of a transport object to close ends the connection of them all',
    caughtBy: ['lifecycle/one-object'],
    breed: (make) => () => {
      let isEnded = false;
      return interfere(make(), {
        deliver: (event, lease, next) => !isEnded && next(event, lease),
        closeLink: (next) => {
          isEnded = true;
          return next();
        },
      });
    },
  },
  {
    name: 'signals-to-everyone',
    wrong: 'what one source signals is signalled for the whole link',
    caughtBy: ['signals/of-one-source'],
    breed: (make) => () =>
      interfere(make(), {
        subscribe: (request, sink, next, { signal }) =>
          next(request, {
            get capacity() {
              return sink.capacity;
            },
            ready: () => sink.ready(),
            deliver: (event, lease) => sink.deliver(event, lease),
            recall: (leases) => sink.recall?.(leases),
            signal,
            corrupt: (error) => sink.corrupt(error),
            failed: (error) => sink.failed(error),
          }),
      }),
  },
  {
    name: 'groups-of-all-roles-are-one',
    wrong: 'a group is known by its name alone, whatever the role',
    caughtBy: ['groups/same-name-in-two-roles', 'order/partition-key-in-group-joined'],
    breed: (make) => () =>
      interfere(make(), {
        subscribe: ({ group, ...request }, sink, next) =>
          next({ ...request, group: group?.slice(group.indexOf('/') + 1) }, sink),
      }),
  },
  {
    name: 'group-takes-what-is-for-its-instances',
    wrong: 'a group also gets what is for one of its instances, and hands it to whichever member is next',
    caughtBy: ['groups/instance-not-in-turn', 'groups/instance-that-is-busy'],
    breed: (make) => () =>
      interfere(make(), {
        subscribe(request, sink, next, { self }) {
          const { group, addresses } = request;
          if (group !== undefined) return next({ ...request, addresses: [...addresses, ...EVERY_INSTANCE] }, sink);
          const isBeside = !addresses.includes('*');
          const others = addresses.filter((address) => address !== `instance:${self.instance}`);
          return next(isBeside ? { ...request, addresses: others } : request, sink);
        },
      }),
  },
  {
    name: 'no-copy-past-the-group',
    wrong: 'what is for a role and an instance comes to the group alone',
    caughtBy: ['groups/role-and-instance', 'groups/role-and-instance-of-another'],
    breed: (make) => () =>
      interfere(make(), {
        deliver: (event, lease, next, { request }) =>
          isBesideGroups(request) && isForMany(event) ? true : next(event, lease),
      }),
  },
  {
    name: 'both-copies-are-two-events',
    wrong: 'what comes past the group has another id than what comes through it',
    caughtBy: ['groups/role-and-instance-of-one'],
    breed: (make) => () =>
      interfere(make(), {
        deliver: (event, lease, next, { request }) =>
          next(
            isBesideGroups(request) && isForMany(event) ? altered(event, { id: `${event.id}-beside` }) : event,
            lease,
          ),
      }),
  },
  {
    name: 'group-gets-each-address',
    wrong: 'what is for a role and one of its instances comes to the group once for each',
    caughtBy: ['groups/role-and-instance', 'groups/role-and-instance-of-another'],
    breed(make) {
      const members = new Map<string, Set<Sink>>();
      return () =>
        interfere(make(), {
          async subscribe(request, sink, next, { topic }) {
            const { group } = request;
            if (group === undefined) return next(request, sink);
            const all = members.get(`${topic} ${group}`) ?? new Set();
            members.set(`${topic} ${group}`, all.add(sink));
            // What one member gets of several addresses another gets once more.
            return next(request, {
              get capacity() {
                return sink.capacity;
              },
              ready: () => sink.ready(),
              deliver(event, lease) {
                const other = [...all].find((one) => one !== sink);
                if (isForMany(event)) other?.deliver(event);
                return sink.deliver(event, lease);
              },
              signal: (signal) => sink.signal(signal),
              corrupt: (error) => sink.corrupt(error),
              failed: (error) => sink.failed(error),
            });
          },
        });
    },
  },
  {
    name: 'listens-too-late',
    wrong: 'subscribe resolves before the service listens',
    caughtBy: ['subscribe/at-once'],
    breed: (make) => () =>
      interfere(make(), {
        subscribe(request, sink, next) {
          const opening = pass(30).then(() => next(request, sink));
          return {
            stop: async () => (await opening).stop(),
            close: async () => (await opening).close(),
          };
        },
      }),
  },
  {
    name: 'replays-old-events',
    wrong: 'a new subscription gets the last event that was published before',
    caughtBy: ['subscribe/nothing-old', 'durable/not-durable', 'groups/', 'subscribe/'],
    breed(make) {
      const last = new Map<string, BroadcastEvent>();
      return () =>
        interfere(make(), {
          publish(batch, next, { topic }) {
            const event = batch[batch.length - 1]?.event;
            if (event !== undefined) last.set(topic, event);
            return next(batch);
          },
          async subscribe(request, sink, next, { topic }) {
            const source = await next(request, sink);
            const event = last.get(topic);
            if (event !== undefined) sink.deliver(event);
            return source;
          },
        });
    },
  },
  {
    name: 'leaves-residue',
    wrong: 'a closed source stays on the service',
    caughtBy: ['lifecycle/residue'],
    breed: (make) => () =>
      interfere(make(), { stop: async () => {}, closeSource: async () => {}, closeLink: async () => {} }),
  },
  {
    name: 'leaves-a-timer',
    wrong: 'every link leaves a timer that keeps the process alive',
    caughtBy: ['lifecycle/handles'],
    breed(make) {
      return () =>
        interfere(make(), {
          async closeLink(next) {
            // Long enough for the case to see it, short enough not to hold up who runs the mutant.
            setTimeout(() => {}, 8_000);
            await next();
          },
        });
    },
  },
  {
    name: 'close-hangs',
    wrong: 'closing a link never resolves',
    caughtBy: ['lifecycle/close-twice'],
    breed: (make) => () => interfere(make(), { closeLink: () => new Promise(() => {}) }),
  },
  {
    name: 'close-rejects',
    wrong: 'closing a link a second time rejects',
    caughtBy: ['lifecycle/link-closes'],
    breed: (make) => () => {
      let closed = false;
      return interfere(make(), {
        async closeLink(next) {
          if (closed) throw new Error('closed already');
          closed = true;
          await next();
        },
      });
    },
  },
  {
    name: 'closes-everybody',
    wrong: 'stopping one source stops all of its link',
    caughtBy: ['lifecycle/source-stops'],
    breed: (make) => () => {
      const stops: (() => Promise<void>)[] = [];
      return interfere(make(), {
        async subscribe(request, sink, next) {
          const source = await next(request, sink);
          stops.push(() => source.stop());
          return {
            stop: async () => {
              await Promise.all(stops.map((stop) => stop()));
            },
            close: () => source.close(),
          };
        },
      });
    },
  },
  {
    name: 'meters-the-unknown',
    wrong: 'a unit is counted that the manifest does not declare',
    caughtBy: ['limits/metering'],
    breed: (make) => () =>
      interfere(make(), {
        publish(batch, next, { meter }) {
          meter('wishes', batch.length);
          return next(batch);
        },
      }),
  },
  {
    name: 'throws-in-a-timer',
    wrong: 'a delivery throws later, where no caller can catch it',
    caughtBy: ['lifecycle/nothing-uncaught'],
    breed: (make) => () =>
      interfere(make(), {
        deliver(event, lease, next) {
          setTimeout(() => {
            throw new TypeError('cannot read properties of undefined');
          }, 1);
          return next(event, lease);
        },
      }),
  },
  {
    name: 'throws-in-a-microtask',
    wrong: 'a publish throws beside itself',
    caughtBy: ['lifecycle/nothing-uncaught'],
    breed: (make) => () =>
      interfere(make(), {
        publish(batch, next) {
          queueMicrotask(() => {
            throw new TypeError('not a function');
          });
          return next(batch);
        },
      }),
  },
  {
    name: 'forgets-a-rejection',
    wrong: 'a promise rejects that is not awaited',
    caughtBy: ['lifecycle/nothing-uncaught'],
    breed: (make) => () =>
      interfere(make(), {
        async closeLink(next) {
          void Promise.reject(new Error('the socket has ended'));
          await next();
        },
      }),
  },
  {
    name: 'ends-the-process',
    wrong: 'the process is ended after a delivery',
    caughtBy: ['lifecycle/nothing-uncaught'],
    breed: (make) => () =>
      interfere(make(), {
        deliver(event, lease, next) {
          setTimeout(() => globalThis.process?.exit(0), 1);
          return next(event, lease);
        },
      }),
  },
  {
    name: 'incomplete-manifest',
    wrong: 'the manifest allows batches of no events',
    caughtBy: ['limits/manifest'],
    breed: (make) => () =>
      interfere(make(), {
        manifest: (manifest) => ({ ...manifest, limits: { ...manifest.limits, maxBatchEvents: 0 } }),
      }),
  },
  {
    name: 'tells-secrets',
    wrong: 'the location shows user and password',
    caughtBy: ['limits/location'],
    breed: (make) => () => ({ ...interfere(make(), {}), location: 'redis://admin:hunter2@db.example:6379' }),
  },
];

/** As the cases name them. */
const EVERY_INSTANCE: readonly Address[] = ['c0', 'c1', 'c2', 'w0', 'w1'].map((name) => `instance:${name}` as const);

/** Brings it what is for the instance of a member, past its groups? */
function isBesideGroups({ group, addresses }: SourceRequest): boolean {
  return group === undefined && !addresses.includes('*');
}

function isForMany({ to }: BroadcastEvent): boolean {
  return typeof to === 'string' && to.includes(',');
}
