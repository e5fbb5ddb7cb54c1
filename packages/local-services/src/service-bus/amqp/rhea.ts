import type { EventEmitter } from 'node:events';
import rhea from 'rhea';

/**
 * The parts of rhea 3.0.5 that a server needs and its typings leave out. rhea does frames and the life of connections,
 * sessions and links; deliveries go through `OutgoingTransfers` and `IncomingTransfers`, which take the place of its own:
 * those decode every message, keep 2,048 deliveries at most and stop all links of a session where one has no credit.
 */
export interface RheaConnection extends EventEmitter {
  readonly local: {
    readonly open: { idle_time_out?: number; max_frame_size?: number };
    readonly close: { error?: AmqpError };
  };
  readonly remote: { readonly open?: OpenFields };
  /** Sessions by the peer's channel. */
  readonly remote_channel_map: Readonly<Record<number, RheaSession>>;
  readonly state: EndpointState;
  heartbeat_in: NodeJS.Timeout | undefined;
  accept(socket: unknown): void;
  close(error?: AmqpError): void;
  is_closed(): boolean;
  /** Called when nothing came for twice the idle timeout. */
  idle(): void;
  input(bytes: Buffer): void;
  eof(): void;
  /** Writes what is due now, instead of at the end of the turn. */
  _process(): void;
  /** Calls `_process` at the end of the turn. */
  _register(): void;
}

interface OpenFields {
  readonly container_id?: string;
  readonly hostname?: string;
  readonly max_frame_size?: number;
  readonly channel_max?: number;
  idle_time_out?: number | undefined;
}

export interface EndpointState {
  local_open: boolean;
  readonly remote_open: boolean;
  open_requests: number;
}

export interface RheaSession {
  readonly state: EndpointState;
  readonly connection: RheaConnection;
  readonly local: { readonly channel: number; readonly begin: { incoming_window: number; handle_max: number } };
  readonly remote: { readonly handles: Record<number, RheaLink>; readonly begin: BeginFields };
  links: Record<string, RheaLink>;
  outgoing: unknown;
  incoming: unknown;
  on_attach(frame: AttachFrame): void;
  create_sender(name: string): RheaLink;
  create_receiver(name: string): RheaLink;
  remove_link(link: RheaLink): void;
  end(error?: AmqpError): void;
}

export interface BeginFields {
  readonly next_outgoing_id: number;
  readonly incoming_window: number;
}

export interface FlowFields {
  readonly next_incoming_id?: number | null;
  readonly incoming_window: number;
  readonly next_outgoing_id: number;
  readonly delivery_count?: number | null;
  readonly link_credit?: number | null;
  readonly drain?: boolean | null;
  readonly echo?: boolean | null;
}

export interface AttachFrame {
  readonly performative: AttachFields & { source: unknown; target: unknown };
}

export interface AttachFields {
  readonly name: string;
  readonly handle: number;
  /** True: the peer receives. */
  readonly role: boolean;
  readonly snd_settle_mode?: number;
  readonly rcv_settle_mode?: number;
  readonly source?: Terminus;
  readonly target?: Terminus;
  readonly initial_delivery_count?: number;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export interface Terminus {
  readonly address?: string;
  readonly dynamic?: boolean;
  filter?: Readonly<Record<string, unknown>>;
  described(): unknown;
}

export interface RheaLink {
  readonly name: string;
  readonly session: RheaSession;
  readonly connection: RheaConnection;
  readonly state: EndpointState;
  readonly local: { readonly handle: number; readonly attach: LocalAttach; readonly detach: { error?: AmqpError } };
  readonly remote: { handle?: number; readonly attach: AttachFields };
  /** Of the receiving side. */
  credit: number;
  delivery_count: number;
  /** Write a flow at the end of the turn. */
  issue_flow: boolean;
  open(): void;
  close(error?: AmqpError): void;
  remove(): void;
  on_detach(frame: unknown): void;
  on_flow(frame: { readonly performative: FlowFields }): void;
  /** Whether the flow that is about to be written says `drain`. */
  _get_drain(): boolean;
  /** Ours: what this link is to the broker. */
  node?: unknown;
  /** Ours: the peer sends and we receive. */
  receiving: boolean;
  /** Ours: why such a link is refused. */
  unsupported?: string;
}

interface LocalAttach {
  source?: unknown;
  target?: unknown;
  snd_settle_mode?: number;
  rcv_settle_mode?: number;
  max_message_size?: number;
  properties?: Readonly<Record<string, unknown>>;
}

export interface AmqpError {
  readonly condition: string;
  readonly description: string;
}

export interface RheaContainer extends EventEmitter {
  create_connection(options: Readonly<Record<string, unknown>>): RheaConnection;
}

export function createContainer(id: string): RheaContainer {
  return rhea.create_container({ id }) as unknown as RheaContainer;
}

/** A long that may be beyond what a number holds exactly. */
export function typedLong(value: bigint): unknown {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(value);
  return rhea.types.wrap_long(bytes as unknown as number);
}
