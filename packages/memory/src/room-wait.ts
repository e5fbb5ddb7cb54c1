import type { Sink } from '@polycast/core/adapter';

/** Those who wait for room, of each sink that has none. */
const waits = new WeakMap<Sink, Set<() => void>>();

/**
 * Calls `onRoom` once, as soon as the sink has room. However many wait and give up, the sink's own promise has one reaction: a
 * reaction cannot be taken back, and a subscriber that hangs for ever would keep something of every event.
 * @returns gives the wait up
 */
export function whenRoom(sink: Sink, onRoom: () => void): () => void {
  let waiting = waits.get(sink);
  if (waiting === undefined) {
    const all = new Set<() => void>();
    waits.set(sink, all);
    sink.ready().then(() => {
      waits.delete(sink);
      for (const tell of all) tell();
    });
    waiting = all;
  }
  waiting.add(onRoom);
  return () => waiting.delete(onRoom);
}

/** Resolves when all have room, or soon enough. */
export function roomIn(sinks: readonly Sink[], limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    let left = sinks.length;
    const waits: (() => void)[] = [];
    const end = () => {
      clearTimeout(timer);
      for (const giveUp of waits) giveUp();
      resolve();
    };
    const timer = setTimeout(end, limitMs);
    (timer as { unref?: () => void }).unref?.();
    for (const sink of sinks) waits.push(whenRoom(sink, () => --left === 0 && end()));
  });
}
