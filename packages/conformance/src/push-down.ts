import type { FilterTarget, Transport } from '@polycast/core';
import type { Lease, Link, Pushed, Sink } from '@polycast/core/adapter';

/**
 * The same transport before a service that evaluates, of each filter, what `target` can, by the rules of that target's
 * own service; undefined: before one that evaluates nothing.
 */
export function withFilterTarget(transport: Transport, target: FilterTarget | undefined): Transport {
  const { manifest } = transport;
  const level = target === undefined ? 'none' : 'native';
  return {
    location: transport.location,
    manifest: { ...manifest, capabilities: { ...manifest.capabilities, filterPushDown: { level } } },
    // The whole of what was pushed is what our service takes: it evaluates by it.
    ...(target !== undefined && {
      filterTarget: {
        ...target,
        push: (condition, options) => {
          const pushed = target.push(condition, options);
          return { ...pushed, native: pushed.native === undefined ? undefined : pushed };
        },
      } satisfies FilterTarget,
    }),
    open: async (context) => filteringLink(await transport.open(context)),
  };
}

function filteringLink(link: Link): Link {
  return {
    publish: (batch) => link.publish(batch),
    subscribe: (request, sink) => {
      const pushed = request.filter as Pushed | undefined;
      return link.subscribe(
        { ...request, filter: undefined },
        pushed === undefined ? sink : filteringSink(sink, pushed),
      );
    },
    ...(link.members !== undefined && { members: () => link.members!() }),
    ...(link.sizeOf !== undefined && { sizeOf: (event) => link.sizeOf!(event) }),
    close: () => link.close(),
    native: link.native,
  };
}

/** What the service withholds never came: its lease is given back as done. */
function filteringSink(sink: Sink, pushed: Pushed): Sink {
  return {
    get capacity() {
      return sink.capacity;
    },
    ready: () => sink.ready(),
    deliver(event, lease?: Lease, isFresh?: boolean) {
      if (pushed.accepts(event as unknown as Readonly<Record<string, unknown>>))
        return sink.deliver(event, lease, isFresh);
      void lease?.settle({ kind: 'accept' });
      return true;
    },
    corrupt: (error) => sink.corrupt(error),
    failed: (error) => sink.failed(error),
  };
}
