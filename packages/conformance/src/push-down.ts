import type { Transport } from '@polycast/core';
import type { FilterTarget, Lease, Pushed, Sink } from '@polycast/core/adapter';
import { interfere } from './interfere.ts';

/**
 * The same transport before a service that evaluates, of each filter, what `target` can, by the rules of that target's
 * own service; undefined: before one that evaluates nothing.
 */
export function withFilterTarget(transport: Transport, target: FilterTarget | undefined): Transport {
  const filterPushDown = { level: target === undefined ? 'none' : 'native' } as const;
  const { manifest, location, open } = interfere(transport, {
    manifest: (claimed) => ({ ...claimed, capabilities: { ...claimed.capabilities, filterPushDown } }),
    subscribe(request, sink, next) {
      const pushed = request.filter as Pushed | undefined;
      return next({ ...request, filter: undefined }, pushed === undefined ? sink : filtering(sink, pushed));
    },
  });
  return {
    manifest,
    location,
    open,
    ...(transport.offeredBy !== undefined && { offeredBy: () => transport.offeredBy!() }),
    ...(target !== undefined && { filterTarget: evaluating(target) }),
  };
}

/** A target for services in this process: what they are sent is the whole of what was pushed, and they evaluate by it. */
export function evaluating(target: FilterTarget): FilterTarget<Pushed> {
  return {
    ...target,
    push(condition, options) {
      const pushed = target.push(condition, options);
      return { ...pushed, native: pushed.native === undefined ? undefined : pushed };
    },
  };
}

/** What the service withholds never came: its lease is given back as done. */
function filtering(sink: Sink, pushed: Pushed): Sink {
  return {
    get capacity() {
      return sink.capacity;
    },
    ready: () => sink.ready(),
    recall: (leases) => sink.recall?.(leases),
    deliver(event, lease, isFresh) {
      if (pushed.accepts(event as unknown as Readonly<Record<string, unknown>>)) {
        return sink.deliver(event, lease, isFresh);
      }
      withhold(lease);
      return true;
    },
    signal: (signal) => sink.signal(signal),
    corrupt: (error) => sink.corrupt(error),
    failed: (error) => sink.failed(error),
  };
}

/** What cannot be settled comes again, and is withheld again. */
function withhold(lease: Lease | undefined): void {
  try {
    Promise.resolve(lease?.settle({ kind: 'accept' })).catch(() => {});
  } catch {}
}
