import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../../time/clock.ts';
import type { Broker } from '../broker/api.ts';
import type { AuthorityLike } from './authority.ts';
import { AmqpConnection, AUTHORISATION_DEADLINE_MS } from './connection.ts';
import type { AmqpError } from './rhea.ts';

/** What clients are told to break the silence within, in ms; after twice that they are gone. */
export const IDLE_TIMEOUT_MS = 120_000;

export interface AmqpServerOptions {
  readonly broker: Broker;
  readonly authority: AuthorityLike;
  /** What the server calls itself. @default 'localhost' */
  readonly hostName?: string;
  /** @default IDLE_TIMEOUT_MS */
  readonly idleTimeoutMs?: number;
  /** How long a connection may stay without having been granted anything, in ms. @default AUTHORISATION_DEADLINE_MS */
  readonly authorisationDeadlineMs?: number;
  /** When tokens end. @default the machine's */
  readonly clock?: Clock;
}

/** Speaks AMQP 1.0 as Service Bus does, over whatever stream it is given. */
export interface AmqpServer {
  /** Takes a stream whose first bytes are AMQP's. */
  accept(
    socket: Duplex,
    info: { readonly secure: boolean; readonly webSocket: boolean; readonly remote: string },
  ): void;
  readonly connections: number;
  /** Closes every connection as the service does when it restarts. @param error @default `amqp:connection:forced` */
  closeAll(error?: AmqpError): void;
  /** Breaks every connection without a word. Idempotent. */
  stop(): void;
}

export function serveAmqp(options: AmqpServerOptions): AmqpServer {
  const {
    broker,
    authority,
    hostName = 'localhost',
    idleTimeoutMs = IDLE_TIMEOUT_MS,
    authorisationDeadlineMs = AUTHORISATION_DEADLINE_MS,
    clock = systemClock,
  } = options;
  const connections = new Set<AmqpConnection>();
  return {
    accept(socket) {
      if (socket.destroyed) return;
      if (connections.size >= broker.limits.maxConnections) {
        socket.destroy();
        return;
      }
      const connection = new AmqpConnection(socket, {
        broker,
        authority,
        clock,
        hostName,
        idleTimeoutMs,
        authorisationDeadlineMs,
        onClosed: () => connections.delete(connection),
      });
      connections.add(connection);
    },
    get connections() {
      return connections.size;
    },
    closeAll(error = { condition: 'amqp:connection:forced', description: 'The service is restarting' }) {
      for (const connection of connections) connection.close(error);
    },
    stop() {
      for (const connection of connections) connection.destroy();
    },
  };
}
