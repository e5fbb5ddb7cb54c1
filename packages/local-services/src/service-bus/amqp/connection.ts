import type { Duplex } from 'node:stream';
import type { Clock } from '../../time/clock.ts';
import type { Broker } from '../broker/api.ts';
import { BrokerError } from '../broker/error.ts';
import { Writer } from '../message/encoding/writer.ts';
import { type Address, parseAddress } from './address.ts';
import { type Opened, openSource, receiveMode } from './attach.ts';
import type { AuthorityLike, GrantLike, Right } from './authority.ts';
import { Budget } from './budget.ts';
import { answerCbs } from './cbs.ts';
import { Claims } from './claims.ts';
import { amqpErrorOf, ProtocolError, unauthorized } from './error.ts';
import { FRAME_AMQP, PERFORMATIVE, type Unit } from './frame-splitter.ts';
import { locatedErrorOf } from './located.ts';
import { answerManagement } from './management/answer.ts';
import type { LinkNode } from './node.ts';
import { ReplyLink, RequestLink } from './request.ts';
import { type AmqpError, type RheaConnection, type RheaLink, type RheaSession, typedLong } from './rhea.ts';
import { openRhea } from './rhea-connection.ts';
import { SASL_HEADER, SaslLayer } from './sasl.ts';
import { Session } from './session.ts';
import { SourceLink } from './source-link.ts';
import { TargetLink } from './target-link.ts';
import { Wire } from './wire.ts';

/** What the service allows, in ms. */
export const AUTHORISATION_DEADLINE_MS = 20_000;
/** The smallest frame that every peer takes (AMQP 1.0 part 2, section 2.7.1). */
const MIN_FRAME_BYTES = 512;
/** Peers that want to hear something more often are not served so often. */
const MIN_IDLE_MS = 100;
/** Sessions on one connection. */
const MAX_SESSIONS = 5_000;
/** How long a peer has to answer our close, in ms. */
const CLOSE_MS = 1_000;
/** Property of a link whose messages go on to another entity, within a transaction. */
const TRANSFER_DESTINATION = 'com.microsoft:transfer-destination-address';
/** Property of the answer to who sends: where single messages may be larger, clients fill batches by it. */
const MAX_BATCH_SIZE = 'com.microsoft:max-message-batch-size';

const ALL_RIGHTS: readonly Right[] = ['listen', 'send', 'manage'];

export interface ConnectionOptions {
  readonly broker: Broker;
  readonly authority: AuthorityLike;
  readonly clock: Clock;
  readonly hostName: string;
  readonly idleTimeoutMs: number;
  readonly authorisationDeadlineMs: number;
  readonly onClosed: () => void;
}

/** One client. */
export class AmqpConnection {
  readonly #options: ConnectionOptions;
  readonly #wire: Wire;
  readonly #rhea: RheaConnection;
  readonly #claims = new Claims();
  readonly #budget: Budget;
  readonly #sessions = new Map<RheaSession, Session>();
  /** Of `$cbs` and of `$management`, by their paths in lower case. */
  readonly #replyLinks = new Map<string, Set<ReplyLink>>();
  /** Links whose attach is not answered yet. */
  readonly #pending = new Map<RheaLink, AbortController>();
  readonly #nodes = new Map<RheaLink, LinkNode>();
  readonly #deadline: NodeJS.Timeout;
  /** For what is written before it is known how it is cut into frames. */
  readonly #scratch = new Writer();
  /** Until it has said who the client is; undefined: there is none. */
  #sasl: SaslLayer | undefined;
  /** The largest frame, as agreed. */
  #frameBytes: number;
  /** Nothing has come yet. */
  #isNew = true;
  #isFaulty = false;
  #cancelExpiry = () => {};
  #nextExpiryMs = Number.POSITIVE_INFINITY;

  constructor(socket: Duplex, options: ConnectionOptions) {
    this.#options = options;
    const { maxFrameBytes, maxMessageBytes } = options.broker.limits;
    this.#frameBytes = maxFrameBytes;
    this.#budget = new Budget(maxMessageBytes, () => this.#claims.size === 0);
    this.#wire = new Wire(socket, maxFrameBytes, {
      unit: (unit) => this.#take(unit),
      flushing: () => {
        for (const session of this.#sessions.values()) session.flush();
      },
      relieved: () => {
        for (const node of this.#nodes.values()) node.resume();
      },
      fault: (error) => this.#fault(error),
      closed: () => this.#closed(),
    });
    this.#rhea = openRhea({
      hostName: options.hostName,
      idleTimeoutMs: options.idleTimeoutMs,
      maxFrameBytes,
      maxSessions: MAX_SESSIONS,
      wire: this.#wire,
      guarded: (action) => this.#guarded(action),
      listener: {
        opened: () => this.#negotiate(),
        began: (session) => this.#openSession(session),
        ended: (session) => this.#closeSession(session),
        attached: (link, receiving) => this.#attach(link, receiving),
        detached: (link) => this.#detached(link),
        fault: (error) => this.#fault(error),
      },
    });
    const checkDeadline = this.#guarded(() => this.#checkDeadline());
    this.#deadline = setTimeout(checkDeadline, options.authorisationDeadlineMs).unref();
  }

  /** Says goodbye, and breaks off if that is not answered. */
  close(error?: AmqpError): void {
    this.#guarded(() => {
      this.#rhea.close(error);
      this.#rhea._process();
    })();
    setTimeout(() => this.#wire.end(), CLOSE_MS).unref();
  }

  destroy(): void {
    this.#wire.destroy();
  }

  #plain(user: string, password: string): boolean {
    try {
      this.#claims.add(this.#options.authority.plain(user, password));
      return true;
    } catch {
      return false;
    }
  }

  #take(unit: Unit): void {
    if (this.#isNew) {
      this.#isNew = false;
      if (unit.type === undefined && unit.bytes.equals(SASL_HEADER)) {
        this.#sasl = new SaslLayer(this.#wire.out, (user, password) => this.#plain(user, password));
        this.#wire.flushSoon();
        return;
      }
    }
    if (this.#sasl !== undefined) {
      const passes = this.#sasl.take(unit);
      this.#wire.flushSoon();
      this.#sasl = undefined;
      if (!passes) this.#wire.end();
      return;
    }
    const { performative } = unit;
    const fast = performative === PERFORMATIVE.transfer || performative === PERFORMATIVE.disposition;
    if (unit.type === FRAME_AMQP && fast && this.#rhea.state.local_open) {
      const session = this.#sessions.get(this.#rhea.remote_channel_map[unit.channel]!);
      // What still comes for a session that we have ended is nobody's.
      session?.take(unit);
      return;
    }
    if (performative === PERFORMATIVE.begin) this.#checkChannel(unit.channel);
    this.#wire.emit('data', unit.bytes);
  }

  /** rhea would let a second session take the channel of one that is open. @throws ProtocolError */
  #checkChannel(channel: number): void {
    if (channel >= MAX_SESSIONS || this.#rhea.remote_channel_map[channel]?.state.remote_open === true) {
      throw new ProtocolError('amqp:connection:framing-error', `Channel ${channel} is in use, or beyond channel-max`);
    }
  }

  /** The peer has opened, and our open is about to be written. */
  #negotiate(): void {
    const { local, remote } = this.#rhea;
    const { max_frame_size: offered, idle_time_out: idle } = remote.open ?? {};
    // As the service does: clients in C take no frames larger than what they offered, and send none larger either.
    if (typeof offered === 'number') this.#frameBytes = Math.max(MIN_FRAME_BYTES, Math.min(offered, this.#frameBytes));
    local.open.max_frame_size = this.#frameBytes;
    // rhea takes any number for the rhythm of its heartbeats.
    if (idle) remote.open!.idle_time_out = typeof idle === 'number' ? Math.max(idle, MIN_IDLE_MS) : undefined;
  }

  /** By which the peer knows us. */
  get #host(): string {
    const { hostname } = this.#rhea.remote.open ?? {};
    return typeof hostname === 'string' && hostname !== '' ? hostname : this.#options.hostName;
  }

  #openSession(rhea: RheaSession): void {
    const session = new Session(rhea, this.#wire, this.#frameBytes, this.#budget);
    session.outgoing.onRoom = () => {
      for (const [link, node] of this.#nodes) if (link.session === rhea) node.resume();
    };
    this.#sessions.set(rhea, session);
  }

  #closeSession(rhea: RheaSession): void {
    for (const link of Object.values(rhea.links)) this.#detached(link);
    this.#sessions.get(rhea)?.flush();
    this.#sessions.get(rhea)?.ended();
    this.#sessions.delete(rhea);
  }

  #attach(link: RheaLink, receiving: boolean): void {
    // What still comes for a session that has ended is nobody's.
    if (!this.#sessions.has(link.session)) return;
    const { attach } = link.remote;
    const terminus = receiving ? attach.target : attach.source;
    try {
      if (link.unsupported !== undefined) throw new BrokerError('amqp:not-implemented', link.unsupported);
      if (terminus?.dynamic === true) {
        throw new BrokerError('amqp:not-implemented', 'Dynamic nodes are not supported');
      }
      if (typeof terminus?.address !== 'string') {
        throw new BrokerError('amqp:invalid-field', 'The link has no address');
      }
      const address = parseAddress(terminus.address);
      if (address.kind === 'entity') receiving ? this.#attachTarget(link, address) : this.#attachSource(link, address);
      else this.#attachRequests(link, address, receiving);
    } catch (error) {
      this.#refuse(link, error);
    }
  }

  #attachTarget(link: RheaLink, { path }: Address & { kind: 'entity' }): void {
    const { broker } = this.#options;
    const allowed = () => this.#allows(path, ['send']);
    if (!allowed()) throw unauthorized(path, 'Send');
    // Taken and not heeded, its messages would stay where the client does not look for them.
    if (link.remote.attach.properties?.[TRANSFER_DESTINATION] !== undefined) {
      throw new BrokerError('amqp:not-implemented', 'Sending via another entity is not supported');
    }
    const target = broker.target(path);
    const session = this.#sessions.get(link.session)!;
    link.local.attach.max_message_size = target.maxMessageBytes;
    link.local.attach.properties = { [MAX_BATCH_SIZE]: typedLong(BigInt(broker.limits.maxBatchBytes)) };
    this.#answer(link);
    const gone = this.#guarded((error: BrokerError) => link.close(locatedErrorOf(error, this.#host)));
    this.#install(link, new TargetLink({ link, session, target, now: () => broker.now(), allowed, gone }));
  }

  #attachSource(link: RheaLink, { path }: Address & { kind: 'entity' }): void {
    const allowed = () => this.#allows(path, ['listen']);
    if (!allowed()) throw unauthorized(path, 'Listen');
    const abort = new AbortController();
    const opened = openSource(this.#options.broker, path, link, abort.signal);
    if (!(opened instanceof Promise)) return this.#receive(link, opened, allowed);
    // rhea would answer the attach now. It is answered when there is a session.
    link.state.local_open = false;
    link.state.open_requests = 0;
    this.#pending.set(link, abort);
    opened.then(
      this.#guarded((session: Opened) => {
        if (!this.#pending.delete(link)) return session.release();
        link.open();
        try {
          this.#receive(link, session, allowed);
        } catch (error) {
          this.#refuse(link, error);
        }
      }),
      this.#guarded((error: unknown) => {
        if (!this.#pending.delete(link)) return;
        link.open();
        this.#refuse(link, error);
      }),
    );
  }

  #receive(link: RheaLink, opened: Opened, allowed: () => boolean): void {
    const session = this.#sessions.get(link.session)!;
    const node = new SourceLink({
      link,
      session,
      wire: this.#wire,
      mode: receiveMode(link.remote.attach),
      writer: this.#scratch,
      allowed,
      start: (onMessage) => opened.start(this.#guarded(onMessage)),
      release: opened.release,
    });
    this.#answer(link);
    this.#install(link, node);
    opened.onGone(this.#guarded((error) => this.#detach(link, locatedErrorOf(error, this.#host))));
  }

  #attachRequests(link: RheaLink, address: Address, receiving: boolean): void {
    const key = address.kind === 'management' ? address.path.toLowerCase() : '$cbs';
    const allowed = () => address.kind !== 'management' || this.#allows(address.path, ALL_RIGHTS);
    if (address.kind === 'management') {
      if (!allowed()) throw unauthorized(address.path, 'Listen');
      this.#checkEntity(address.entity);
    }
    const session = this.#sessions.get(link.session)!;
    const { broker, authority } = this.#options;
    if (receiving) {
      const answer = (request: Parameters<typeof answerCbs>[0]) =>
        address.kind === 'management'
          ? answerManagement(request, { broker, entity: address.entity, host: this.#host }, (right) =>
              this.#allows(address.path, [right]),
            )
          : answerCbs(request, { broker, authority, host: this.#host, granted: (grant) => this.#grant(grant) });
      const replyLink = (replyTo: string | undefined) => this.#replyLink(key, replyTo);
      this.#answer(link);
      const fault = (error: unknown) => this.#fault(error);
      this.#install(link, new RequestLink({ link, session, answer, replyLink, allowed, fault }));
      return;
    }
    const links = this.#replyLinks.get(key) ?? new Set<ReplyLink>();
    this.#replyLinks.set(key, links);
    const onClosed = () => {
      links.delete(node);
      if (links.size === 0) this.#replyLinks.delete(key);
    };
    const node = new ReplyLink({ link, session, wire: this.#wire, allowed, onClosed });
    links.add(node);
    link.local.attach.snd_settle_mode = 1;
    this.#answer(link);
    this.#install(link, node);
  }

  /** @throws BrokerError `amqp:not-found` */
  #checkEntity(entity: string): void {
    const { broker } = this.#options;
    if (broker.entities.topic(entity) === undefined) broker.source(entity);
  }

  #replyLink(key: string, replyTo: string | undefined): ReplyLink | undefined {
    const links = [...(this.#replyLinks.get(key) ?? [])];
    return links.find((link) => link.answersTo(replyTo)) ?? (links.length === 1 ? links[0] : undefined);
  }

  /** Answers an attach with what was asked for. */
  #answer(link: RheaLink): void {
    const { attach } = link.remote;
    link.local.attach.source = attach.source?.described();
    link.local.attach.target = attach.target?.described();
    link.local.attach.snd_settle_mode ??= attach.snd_settle_mode ?? 2;
    // What a client sends is settled by us at once; what it receives, as it asks for.
    link.local.attach.rcv_settle_mode = link.receiving ? 0 : (attach.rcv_settle_mode ?? 0);
    if (link.receiving) link.delivery_count = attach.initial_delivery_count ?? 0;
    // Before any transfer that credit in the same bytes may set off.
    link.connection._process();
  }

  #install(link: RheaLink, node: LinkNode): void {
    link.node = node;
    link.on_flow = ({ performative }) => node.flow(performative);
    this.#nodes.set(link, node);
  }

  /** A refused link is attached to nothing, and detached with the reason. */
  #refuse(link: RheaLink, error: unknown): void {
    link.on_flow = () => {};
    link.close(locatedErrorOf(error, this.#host));
  }

  /** We detach. */
  #detach(link: RheaLink, error: AmqpError): void {
    link.close(error);
    this.#detached(link);
  }

  /** A link is gone, or soon will be. */
  #detached(link: RheaLink): void {
    const pending = this.#pending.get(link);
    if (pending !== undefined) {
      this.#pending.delete(link);
      pending.abort();
      // rhea answers a detach only of what it has attached.
      link.open();
    }
    const node = this.#nodes.get(link);
    this.#nodes.delete(link);
    link.node = undefined;
    link.on_flow = () => {};
    node?.closed();
  }

  #allows(path: string, rights: readonly Right[]): boolean {
    return this.#claims.allowsAny(path, rights, this.#options.broker.now());
  }

  #grant(grant: GrantLike): void {
    if (this.#claims.add(grant)) this.#checkClaims();
    else this.#checkClaimsAt(grant.expiresAtMs);
  }

  /** Detaches links that nothing grants any more, and looks again when the next grant ends. */
  #checkClaims(): void {
    const next = this.#claims.nextExpiry(this.#options.broker.now());
    for (const [link, node] of [...this.#nodes]) {
      if (node.allowed) continue;
      this.#detach(link, {
        condition: 'amqp:unauthorized-access',
        description: 'Unauthorized access. ExpiredToken: the token that this link was attached with has expired.',
      });
    }
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    this.#checkClaimsAt(next);
  }

  #checkClaimsAt(atMs: number): void {
    if (atMs >= this.#nextExpiryMs) return;
    this.#nextExpiryMs = atMs;
    this.#cancelExpiry();
    this.#cancelExpiry = this.#options.clock.at(
      atMs,
      this.#guarded(() => this.#checkClaims()),
    );
  }

  #checkDeadline(): void {
    if (this.#claims.size > 0) return;
    this.close({
      condition: 'amqp:unauthorized-access',
      description: `Nothing was authorised within ${this.#options.authorisationDeadlineMs} ms of opening the connection`,
    });
  }

  /** The same, but that what it throws ends this connection and reaches nobody else: whoever calls is not to blame. */
  #guarded<A extends unknown[]>(action: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      try {
        action(...args);
      } catch (error) {
        this.#fault(error);
      }
    };
  }

  /** Ends the connection. Never throws. */
  #fault(error: unknown): void {
    const isFirst = !this.#isFaulty;
    this.#isFaulty = true;
    try {
      if (isFirst) this.#sayFault(error);
      this.#wire.end();
    } catch {
      this.#wire.destroy();
    }
  }

  /** Closes with the error, where the connection is open enough for that. */
  #sayFault(error: unknown): void {
    const { name } = error as { name?: unknown };
    const condition = name === 'ProtocolError' && !('condition' in (error as object));
    this.#rhea.close(
      condition ? { condition: 'amqp:connection:framing-error', description: String(error) } : amqpErrorOf(error),
    );
    this.#rhea._process();
  }

  #closed(): void {
    clearTimeout(this.#deadline);
    this.#cancelExpiry();
    for (const abort of this.#pending.values()) abort.abort();
    this.#pending.clear();
    for (const node of this.#nodes.values()) this.#guarded(() => node.closed())();
    this.#nodes.clear();
    this.#sessions.clear();
    this.#guarded(() => this.#rhea.eof())();
    this.#options.onClosed();
  }
}
