import { expect, it } from 'vitest';
import { SessionReceiver } from '../src/session-receiver.ts';
import type { ReceiverOptions } from '../src/subscription-receiver.ts';

it('a session that is accepted after stop is closed, and an error of that close is not unhandled', async () => {
  let come = (_: unknown) => {};
  const connection = { isDown: false, client: { acceptNextSession: () => new Promise((resolve) => (come = resolve)) } };
  const receiver = new SessionReceiver({ connection, topic: 't', subscription: 's' } as unknown as ReceiverOptions);
  const unhandled: unknown[] = [];
  const hear = (thrown: unknown) => unhandled.push(thrown);
  process.on('unhandledRejection', hear);
  try {
    await receiver.open();
    await receiver.stop();
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
