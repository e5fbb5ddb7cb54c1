import type { LinkContext } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import { isReply } from './server-role.ts';

/** Unanswered for this many intervals, a connection is given up and made anew. */
const GIVE_UP_AFTER = 6;

/**
 * Asks for a sign of life. A server that leaves the question unanswered for a whole interval is signalled as `stalled`,
 * once until it answers again.
 * @returns a function that ends it
 */
export function startHeartbeat(options: {
  readonly intervalMs: number;
  connection(): Redis | undefined;
  /** One round trip. @default PING */
  ask?(connection: Redis): Promise<unknown>;
  readonly signal: LinkContext['signal'];
  giveUp(connection: Redis): void;
}): () => void {
  const { intervalMs, signal } = options;
  const ask = options.ask ?? ((connection: Redis) => connection.ping());
  if (intervalMs === 0) return () => {};
  let asked: { readonly of: Redis; readonly sinceMs: number; ticks: number } | undefined;
  let told = false;
  const unanswered = (question: NonNullable<typeof asked>) => {
    if (asked !== question) return;
    if (!told) signal({ kind: 'stalled', what: 'server', sinceMs: performance.now() - question.sinceMs });
    told = true;
    if (question.ticks < GIVE_UP_AFTER) return;
    asked = undefined;
    options.giveUp(question.of);
  };
  const timer = setInterval(() => {
    const connection = options.connection();
    if (connection?.status !== 'ready') {
      asked = undefined;
      return;
    }
    if (asked?.of === connection) {
      asked.ticks++;
      // The answer may be there, unread: this process was busy. That is no silence of the server.
      setImmediate(unanswered, asked).unref();
      return;
    }
    const question = { of: connection, sinceMs: performance.now(), ticks: 0 };
    asked = question;
    const answered = () => {
      told = false;
      if (asked === question) asked = undefined;
    };
    ask(connection).then(answered, (thrown: unknown) => {
      // A refusal is an answer. What timed out is unanswered still; what else failed, the connection's end reports.
      if (isReply(thrown)) answered();
      else if (asked === question && connection.status !== 'ready') asked = undefined;
    });
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
