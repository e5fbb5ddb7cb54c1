import type { LinkContext } from '@polycast/core/adapter';
import type { Cluster, Redis } from 'ioredis';

/** Unanswered for this many intervals, a connection is given up and made anew. */
const GIVE_UP_AFTER = 6;

/**
 * Asks for a sign of life. A server that leaves a PING unanswered for a whole interval is signalled as `stalled`, once
 * until it answers again.
 * @returns a function that ends it
 */
export function startHeartbeat(options: {
  readonly intervalMs: number;
  connection(): Redis | Cluster | undefined;
  readonly context: LinkContext;
  giveUp(): void;
}): () => void {
  const { intervalMs, context } = options;
  if (intervalMs === 0) return () => {};
  let asked: { readonly of: Redis | Cluster; readonly sinceMs: number } | undefined;
  let told = false;
  const timer = setInterval(() => {
    const connection = options.connection();
    if (connection?.status !== 'ready') {
      asked = undefined;
      return;
    }
    if (asked?.of === connection) {
      const sinceMs = performance.now() - asked.sinceMs;
      if (!told) context.signal({ kind: 'stalled', what: 'server', sinceMs });
      told = true;
      if (sinceMs >= intervalMs * GIVE_UP_AFTER) {
        asked = undefined;
        options.giveUp();
      }
      return;
    }
    const ask = { of: connection, sinceMs: performance.now() };
    asked = ask;
    connection.ping().then(
      () => {
        told = false;
        if (asked === ask) asked = undefined;
      },
      // A PING that timed out is unanswered still; one that failed is told by the connection's end.
      () => {
        if (asked === ask && connection.status !== 'ready') asked = undefined;
      },
    );
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
