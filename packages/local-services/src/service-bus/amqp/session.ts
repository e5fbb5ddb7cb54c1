import { type Fields, Reader } from '../message/encoding/reader.ts';
import type { Budget } from './budget.ts';
import { Dispositions, OUTCOME } from './dispositions.ts';
import { ProtocolError } from './error.ts';
import { PERFORMATIVE, type Unit } from './frame-splitter.ts';
import { IncomingTransfers } from './incoming-transfers.ts';
import { OutgoingTransfers, type PeerState } from './outgoing-transfers.ts';
import type { AttachFrame, RheaLink, RheaSession } from './rhea.ts';
import type { Wire } from './wire.ts';

/** Links that one session may hold. */
export const MAX_LINKS = 4_096;

/** Descriptors of source and target. */
const TERMINI: ReadonlySet<unknown> = new Set([0x28, 0x29, 'amqp:source:list', 'amqp:target:list']);
const COORDINATOR = 0x30;

/** One AMQP session: rhea keeps its life and its links, this keeps its deliveries. */
export class Session {
  readonly rhea: RheaSession;
  readonly outgoing: OutgoingTransfers;
  readonly incoming: IncomingTransfers;
  /** Of what we received. */
  readonly received: Dispositions;
  /** Of what we sent: our answer to the peer's outcome. */
  readonly sent: Dispositions;
  readonly #linkCount: () => number;
  readonly #budget: Budget;
  #nextKey = 0;

  constructor(rhea: RheaSession, wire: Wire, maxFrameBytes: number, budget: Budget) {
    this.rhea = rhea;
    this.#budget = budget;
    this.incoming = new IncomingTransfers(budget);
    const { channel, begin } = rhea.local;
    this.outgoing = new OutgoingTransfers(wire, channel, maxFrameBytes);
    this.received = new Dispositions(wire, channel, true);
    this.sent = new Dispositions(wire, channel, false);
    this.outgoing.on_begin(rhea.remote.begin);
    this.incoming.on_begin(rhea.remote.begin);
    begin.incoming_window = this.incoming.window;
    begin.handle_max = MAX_LINKS - 1;
    rhea.outgoing = this.outgoing;
    rhea.incoming = this.incoming;
    rhea.links = Object.create(null);
    rhea.on_attach = (frame) => this.#onAttach(frame);
    this.#linkCount = () => Object.keys(rhea.links).length;
  }

  /** rhea looks links up by name alone; a name may stand for one link in each direction. */
  #onAttach({ performative }: AttachFrame): void {
    const { name, handle, role } = performative;
    if (typeof name !== 'string' || typeof handle !== 'number' || typeof role !== 'boolean') {
      throw new ProtocolError('amqp:invalid-field', 'An attach without a name, a handle or a role');
    }
    if (handle >= MAX_LINKS || this.#linkCount() >= MAX_LINKS) {
      throw new ProtocolError('amqp:resource-limit-exceeded', `A session may have at most ${MAX_LINKS} links`);
    }
    const { handles } = this.rhea.remote;
    if (Object.hasOwn(handles, handle)) {
      throw new ProtocolError('amqp:session:handle-in-use', `Handle ${handle} is attached already`);
    }
    this.#budget.takeLink();
    const link = role ? this.rhea.create_sender(name) : this.rhea.create_receiver(name);
    delete this.rhea.links[name];
    const key = String(this.#nextKey++);
    this.rhea.links[key] = link;
    link.remove = () => {
      if (!Object.hasOwn(this.rhea.links, key)) return;
      delete this.rhea.links[key];
      this.#budget.giveLink();
      if (handles[handle] === link) delete handles[handle];
      delete (this.rhea.local as unknown as { handles: Record<number, RheaLink> }).handles[link.local.handle];
    };
    handles[handle] = link;
    const onDetach = link.on_detach.bind(link);
    link.on_detach = (frame) => {
      // The peer may use the handle again at once; rhea frees it two turns later.
      if (handles[handle] === link) delete handles[handle];
      onDetach(frame);
    };
    link.receiving = !role;
    for (const field of ['source', 'target'] as const) {
      const terminus = performative[field] as { descriptor?: { value?: unknown } } | undefined;
      const kind = terminus?.descriptor?.value;
      if (kind === undefined || TERMINI.has(kind)) continue;
      link.unsupported = kind === COORDINATOR ? 'Transactions are not known here' : 'A terminus of an unknown kind';
      // rhea would say so on the console.
      (performative as { source: unknown; target: unknown })[field] = null;
    }
    link.remote.handle = handle;
    (link as unknown as { on_attach(frame: unknown): void }).on_attach({ performative });
  }

  /** A transfer or a disposition, past rhea. */
  take(unit: Unit): void {
    const fields = new Reader(unit.bytes, unit.listAt).list();
    if (unit.performative === PERFORMATIVE.disposition) return this.#disposition(fields);
    const handle = fields.uint();
    const link = handle === undefined ? undefined : this.rhea.remote.handles[handle];
    if (link === undefined)
      throw new ProtocolError('amqp:session:unattached-handle', `Nothing is attached to ${handle}`);
    if (link.node === undefined || !link.state.local_open) return this.#refuse(link, fields);
    this.incoming.transfer(link, fields, unit.bytes.subarray(unit.payloadAt));
  }

  /** What was on its way when we detached: clients that wait for the outcome of each message are told it, too. */
  #refuse(link: RheaLink, fields: Fields): void {
    this.incoming.next_transfer_id = (this.incoming.next_transfer_id + 1) >>> 0;
    const deliveryId = fields.uint();
    fields.pass(2);
    const settled = fields.boolean() ?? false;
    const { error } = link.local.detach;
    if (deliveryId !== undefined && !settled && error) this.received.reject(deliveryId, error);
  }

  #disposition(fields: Fields): void {
    const receiver = fields.boolean();
    const first = fields.uint();
    const last = fields.uint() ?? first;
    const settled = fields.boolean() ?? false;
    if (receiver === undefined || first === undefined || last === undefined) {
      throw new ProtocolError('amqp:invalid-field', 'A disposition without a role or a delivery');
    }
    // Of what the peer sent: it settles what we have settled before.
    if (!receiver) return;
    const state = fields.raw();
    this.outgoing.disposition(first, last, settled, () => outcomeOf(state));
  }

  /** It has ended, and with it all its links. */
  ended(): void {
    for (const key of Object.keys(this.rhea.links)) this.rhea.links[key]!.remove();
  }

  /** What was gathered in this turn is written. */
  flush(): void {
    this.received.flush();
    this.sent.flush();
  }
}

function outcomeOf(state: Buffer | undefined): PeerState | undefined {
  if (state === undefined) return undefined;
  const reader = new Reader(state);
  if (reader.byte() !== 0) throw new ProtocolError('amqp:decode-error', 'An outcome without a descriptor');
  const descriptor = reader.value();
  const code = typeof descriptor === 'bigint' ? Number(descriptor) : OUTCOME_SYMBOLS.get(descriptor);
  // `received` only says how far the peer has come.
  if (code === OUTCOME.received) return undefined;
  if (code === undefined || code < OUTCOME.accepted || code > OUTCOME.modified) {
    throw new ProtocolError('amqp:not-implemented', 'The outcome is not supported, or is part of a transaction');
  }
  return { code, fields: reader.list() };
}

const OUTCOME_SYMBOLS: ReadonlyMap<unknown, number> = new Map([
  ['amqp:received:list', OUTCOME.received],
  ['amqp:accepted:list', OUTCOME.accepted],
  ['amqp:rejected:list', OUTCOME.rejected],
  ['amqp:released:list', OUTCOME.released],
  ['amqp:modified:list', OUTCOME.modified],
]);
