import { createContainer, type RheaConnection, type RheaLink, type RheaSession } from './rhea.ts';
import type { Wire } from './wire.ts';

export interface RheaListener {
  /** The peer has opened, and our open is about to be written. */
  opened(): void;
  began(session: RheaSession): void;
  ended(session: RheaSession): void;
  /** @param receiving the peer sends, and we receive */
  attached(link: RheaLink, receiving: boolean): void;
  detached(link: RheaLink): void;
  fault(error: unknown): void;
}

export interface RheaOptions {
  readonly hostName: string;
  readonly idleTimeoutMs: number;
  readonly maxFrameBytes: number;
  readonly maxSessions: number;
  readonly wire: Wire;
  /** The same function, but that what it throws ends this connection and reaches nobody else. */
  readonly guarded: (action: () => void) => () => void;
  readonly listener: RheaListener;
}

type Timed = RheaConnection & { heartbeat_out?: NodeJS.Timeout; abort_idle?: NodeJS.Timeout };

/** rhea as it serves one client: frames, and the life of connection, sessions and links. */
export function openRhea(options: RheaOptions): RheaConnection {
  const { hostName, idleTimeoutMs, maxFrameBytes, maxSessions, wire, listener } = options;
  const connection = createContainer(hostName).create_connection({
    container_id: hostName,
    max_frame_size: maxFrameBytes,
    channel_max: maxSessions - 1,
    idle_time_out: idleTimeoutMs,
    // `SaslLayer` has it.
    disable_sasl: true,
    reconnect: false,
    credit_window: 0,
    autoaccept: false,
    autosettle: false,
  });
  tameTimers(connection, options);
  // Those without a listener are thrown or printed.
  for (const event of ['connection_close', 'connection_error', 'disconnected']) connection.on(event, () => {});
  connection.on('connection_open', () => listener.opened());
  for (const event of ['error', 'protocol_error']) connection.on(event, (error) => listener.fault(error));
  connection.on('session_open', ({ session }: { session: RheaSession }) => listener.began(session));
  for (const event of ['session_close', 'session_error']) {
    connection.on(event, ({ session }: { session: RheaSession }) => listener.ended(session));
  }
  connection.on('receiver_open', ({ receiver }: { receiver: RheaLink }) => listener.attached(receiver, true));
  connection.on('sender_open', ({ sender }: { sender: RheaLink }) => listener.attached(sender, false));
  for (const event of ['receiver_close', 'receiver_error']) {
    connection.on(event, ({ receiver }: { receiver: RheaLink }) => listener.detached(receiver));
  }
  for (const event of ['sender_close', 'sender_error']) {
    connection.on(event, ({ sender }: { sender: RheaLink }) => listener.detached(sender));
  }
  connection.accept(wire);
  return connection;
}

/** rhea's timers must not keep the process alive, and it does not see what goes past it. */
function tameTimers(connection: Timed, { idleTimeoutMs, wire, guarded }: RheaOptions): void {
  const input = connection.input.bind(connection);
  const idle = connection.idle.bind(connection);
  const unref = () => {
    connection.heartbeat_in?.unref();
    connection.heartbeat_out?.unref();
    connection.abort_idle?.unref();
  };
  connection.input = (bytes) => {
    input(bytes);
    unref();
  };
  // rhea calls it in turns of its own.
  connection._process = guarded(connection._process.bind(connection));
  connection.idle = guarded(() => {
    const silentMs = performance.now() - wire.lastReadAt;
    const leftMs = idleTimeoutMs * 2 - silentMs;
    if (leftMs <= 0) idle();
    else connection.heartbeat_in = setTimeout(() => connection.idle(), leftMs);
    unref();
  });
  // rhea begins to wait with what comes first, and SASL goes past it.
  connection.heartbeat_in = setTimeout(() => connection.idle(), idleTimeoutMs * 2);
  unref();
}
