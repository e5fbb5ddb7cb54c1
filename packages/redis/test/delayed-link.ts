import { type Way, wayTo } from './way.ts';

export interface DelayedLink extends Way {
  /** Nothing gets through any more, and nobody is told. */
  freeze(): void;
}

/** A way to a server on 127.0.0.1 on which everything takes `delayMs`, in either direction. */
export async function delayedLink(port: number, delayMs: number): Promise<DelayedLink> {
  let isFrozen = false;
  const way = await wayTo(
    port,
    (near, far) => {
      // Timers of the same length fire in the order in which they were made.
      near.on('data', (bytes) => setTimeout(() => isFrozen || far.write(bytes), delayMs));
      far.on('data', (bytes) => setTimeout(() => isFrozen || near.write(bytes), delayMs));
    },
    delayMs,
  );
  const freeze = () => {
    isFrozen = true;
  };
  return { ...way, freeze };
}
