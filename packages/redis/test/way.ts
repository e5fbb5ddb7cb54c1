import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A port that leads to a server. */
export interface Way {
  readonly port: number;
  /** Ends every connection. */
  cut(): void;
  close(): void;
}

/**
 * A way to a server on 127.0.0.1.
 * @param port or where each new connection is to lead
 * @param join reads each side and writes to the other: called once for each connection
 * @param closeDelayMs between the end of one side and that of the other
 */
export async function wayTo(
  port: number | (() => number),
  join: (near: Socket, far: Socket) => void = pass,
  closeDelayMs = 0,
): Promise<Way> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(typeof port === 'number' ? port : port(), '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        if (closeDelayMs === 0) to.destroy();
        else setTimeout(() => to.destroy(), closeDelayMs);
      });
    }
    join(near, far);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}

function pass(near: Socket, far: Socket): void {
  near.pipe(far);
  far.pipe(near);
}
