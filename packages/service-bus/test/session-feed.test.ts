import { expect, it } from 'vitest';
import type { FeedOptions } from '../src/feed.ts';
import { SessionFeed } from '../src/session-feed.ts';

it('a session that is accepted after stop is closed, and an error of that close is not unhandled', async () => {
  let come = (_: unknown) => {};
  const connection = { isDown: false, client: { acceptNextSession: () => new Promise((resolve) => (come = resolve)) } };
  const feed = new SessionFeed({ connection, topic: 't', subscription: 's' } as unknown as FeedOptions);
  const unhandled: unknown[] = [];
  const hear = (thrown: unknown) => unhandled.push(thrown);
  process.on('unhandledRejection', hear);
  try {
    await feed.open();
    await feed.stop();
    let isClosed = false;
    come({
      close: async () => {
        isClosed = true;
        throw new TypeError('no link');
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([isClosed, unhandled]).toEqual([true, []]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});
