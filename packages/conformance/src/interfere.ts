import type { BroadcastEvent, Manifest, Transport } from '@polycast/core';
import {
  type Encoded,
  Encoder,
  type Lease,
  type Link,
  type LinkContext,
  type Outgoing,
  type Sink,
  type Source,
  type SourceRequest,
} from '@polycast/core/adapter';

/** One event on its way out, as core or the link has written it. */
export type Sent = Outgoing<Encoded | undefined>;

/** Steps in between core and a transport. What is left out passes through unchanged. */
export interface Interference {
  manifest?(manifest: Manifest): Manifest;
  publish?(batch: readonly Sent[], next: Link['publish'], at: Publishing): ReturnType<Link['publish']>;
  subscribe?(
    request: SourceRequest,
    sink: Sink,
    next: Link['subscribe'],
    at: LinkContext,
  ): ReturnType<Link['subscribe']>;
  deliver?(event: BroadcastEvent, lease: Lease | undefined, next: Sink['deliver'], at: Listening): boolean;
  lease?(lease: Lease, event: BroadcastEvent, at: Listening): Lease;
  stop?(next: () => Promise<void>): Promise<void>;
  closeSource?(next: () => Promise<void>, at: Listening): Promise<void>;
  closeLink?(next: () => Promise<void>, at: LinkContext): Promise<void>;
  members?(next: NonNullable<Link['members']>): ReturnType<NonNullable<Link['members']>>;
  open?(context: LinkContext, next: Transport['open']): Promise<Link>;
}

/** Where something is published. */
export interface Publishing extends LinkContext {
  /** The same, with another event in it. */
  rewrite(one: Sent, event: BroadcastEvent): Sent;
}

/** Where a delivery comes from. */
export interface Listening {
  readonly context: LinkContext;
  readonly request: SourceRequest;
}

/** A transport with somebody in between: for cases that need a loss to happen, and for mutants. */
export function interfere(transport: Transport, how: Interference): Transport {
  return {
    manifest: how.manifest?.(transport.manifest) ?? transport.manifest,
    location: transport.location,
    ...(transport.filterTarget !== undefined && { filterTarget: transport.filterTarget }),
    ...(transport.offeredBy !== undefined && { offeredBy: () => transport.offeredBy!() }),
    async open(context) {
      const open = (inner: LinkContext) => transport.open(inner);
      const link = how.open === undefined ? await open(context) : await how.open(context, open);
      return interfereLink(link, context, how, transport.manifest);
    },
  };
}

function interfereLink(link: Link, context: LinkContext, how: Interference, manifest: Manifest): Link {
  const encoder = new Encoder(link, manifest);
  const publishing: Publishing = {
    ...context,
    rewrite: (one, event) => ({ ...one, event, encoded: encoder.encode(event) }),
  };
  const publish: Link['publish'] = (batch) => link.publish(batch);
  const subscribe: Link['subscribe'] = async (request, sink) => {
    const at: Listening = { context, request };
    const source = await link.subscribe(request, interfereSink(sink, at, how));
    return interfereSource(source, at, how);
  };
  const made: Link = {
    publish: how.publish === undefined ? publish : (batch) => how.publish!(batch, publish, publishing),
    subscribe:
      how.subscribe === undefined ? subscribe : (request, sink) => how.subscribe!(request, sink, subscribe, context),
    close: () => (how.closeLink === undefined ? link.close() : how.closeLink(() => link.close(), context)),
  };
  if (link.native !== undefined) Object.assign(made, { native: link.native });
  if (link.encode !== undefined) made.encode = (event, before) => link.encode!(event, before);
  if (link.endpoint !== undefined) made.endpoint = (request) => link.endpoint!(request);
  if (link.enter !== undefined) made.enter = () => link.enter!();
  if (link.leave !== undefined) made.leave = () => link.leave!();
  if (link.members !== undefined) {
    const members = () => link.members!();
    made.members = how.members === undefined ? members : () => how.members!(members);
  }
  return made;
}

function interfereSink(sink: Sink, at: Listening, how: Interference): Sink {
  const next: Sink['deliver'] = (event, lease) =>
    sink.deliver(event, lease !== undefined && how.lease !== undefined ? how.lease(lease, event, at) : lease);
  return {
    get capacity() {
      return sink.capacity;
    },
    ready: () => sink.ready(),
    recall: (leases) => sink.recall?.(leases),
    deliver: how.deliver === undefined ? next : (event, lease) => how.deliver!(event, lease, next, at),
    signal: (signal) => sink.signal(signal),
    corrupt: (error) => sink.corrupt(error),
    failed: (error) => sink.failed(error),
  };
}

function interfereSource(source: Source, at: Listening, how: Interference): Source {
  return {
    ...(source.caughtUp !== undefined && { caughtUp: () => source.caughtUp!() }),
    stop: () => (how.stop === undefined ? source.stop() : how.stop(() => source.stop())),
    close: () => (how.closeSource === undefined ? source.close() : how.closeSource(() => source.close(), at)),
  };
}
