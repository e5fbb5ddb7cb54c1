import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface DelayedLink {
  readonly port: number;
  /** Nothing gets through any more, and nobody is told. */
  freeze(): void;
  /** Ends every connection. */
  cut(): void;
  close(): void;
}

/** A way to a server on 127.0.0.1 on which everything takes `delayMs`, in either direction. */
export async function delayedLink(port: number, delayMs: number): Promise<DelayedLink> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        setTimeout(() => to.destroy(), delayMs);
      });
      // Timers of the same length fire in the order in which they were made.
      from.on('data', (bytes) => setTimeout(() => isFrozen || to.write(bytes), delayMs));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      isFrozen = true;
    },
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}
