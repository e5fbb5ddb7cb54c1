import { Worker } from 'node:worker_threads';
import { connect, type Signal } from '@polycast/core';
import { expect, test, vi } from 'vitest';
import { memory } from '../src/index.ts';

/** A thread that speaks the channel's messages by hand: what crosses is plain CloudEvents JSON. */
const THREAD = `
  const { parentPort } = require('node:worker_threads');
  const channel = new BroadcastChannel('polycast:threads-test');
  channel.onmessage = ({ data }) => {
    parentPort.postMessage(data);
    const event = JSON.parse(data.json);
    const answer = { specversion: '1.0', id: 'x', source: '/thread/1', type: 'answered', data: event.data + 1 };
    channel.postMessage('no message of ours');
    channel.postMessage({ topic: data.topic, to: ['*'], json: 'no event' });
    channel.postMessage({ topic: data.topic, to: ['role:nobody'], json: JSON.stringify(answer) });
    channel.postMessage({ topic: data.topic, to: ['*'], json: JSON.stringify(answer) });
  };
  parentPort.postMessage('ready');
`;

test('events cross between threads, and what is no event is passed over', async () => {
  const worker = new Worker(THREAD, { eval: true });
  const messages: unknown[] = [];
  worker.on('message', (message) => messages.push(message));
  await vi.waitFor(() => expect(messages).toEqual(['ready']));
  const transport = memory({ hub: 'threads-test', threads: true });
  const me = await connect({ transport, topic: 't' });
  const seen: unknown[] = [];
  const corrupt: unknown[] = [];
  const onSignal = (signal: Signal) => void corrupt.push(signal);
  await me.subscribe((event) => void seen.push([event.type, event.data]), { onSignal });
  for (let member = 0; member < 2; member++) await me.subscribe(() => {}, { group: 'g', onSignal });
  await me.publish({ type: 'asked', data: 41 });
  await vi.waitFor(() => expect(seen).toEqual([['answered', 42]]));
  // For the plain subscription and for one member of the group.
  expect(corrupt).toMatchObject(Array(2).fill({ kind: 'corrupt', error: { code: 'corrupt-event' } }));
  expect(messages[1]).toMatchObject({ topic: 't', to: ['*'] });
  await me.close();
  await worker.terminate();
});

test('hubs of different names, and topics of different names, never meet', async () => {
  await using one = await connect({ transport: memory({ hub: 'one' }), topic: 't' });
  await using two = await connect({ transport: memory({ hub: 'two' }), topic: 't' });
  await using other = await connect({ transport: memory({ hub: 'one' }), topic: 'u' });
  const seen = vi.fn();
  await two.subscribe(seen);
  await other.subscribe(seen);
  await one.publish({ type: 'a' });
  expect(seen).not.toHaveBeenCalled();
});

test('with copy, a handler may change its data', async () => {
  await using publisher = await connect({ transport: memory({ hub: 'copy', copy: true }), topic: 't' });
  await using listener = await connect({ transport: memory({ hub: 'copy', copy: true }), topic: 't' });
  const data = { order: 1 };
  await listener.subscribe((event) => void ((event.data as typeof data).order = 2));
  await publisher.publish({ type: 'a', data });
  expect(data.order).toBe(1);
});

test('by URL: the hub is the path; what is no option is refused', async () => {
  await using a = await connect({ url: 'memory:shop', topic: 't' });
  expect(a.native).toBeUndefined();
  await expect(connect({ url: 'memory:?copies=true', topic: 't' })).rejects.toMatchObject({
    code: 'invalid-configuration',
  });
});

test('a slow subscriber holds its publisher back, and others not', async () => {
  await using publisher = await connect({ transport: memory({ hub: 'slow' }), topic: 't' });
  await using slow = await connect({ transport: memory({ hub: 'slow' }), topic: 't' });
  await using fast = await connect({ transport: memory({ hub: 'slow' }), topic: 't' });
  const finish: (() => void)[] = [];
  const held = await slow.subscribe(() => new Promise<void>((resolve) => void finish.push(resolve)), { bufferSize: 1 });
  let count = 0;
  await fast.subscribe(() => void count++);
  await publisher.publish({ type: 'a' });
  const second = publisher.publish({ type: 'a' });
  let isTaken = false;
  second.then(() => {
    isTaken = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect([count, isTaken]).toEqual([2, false]);
  finish.shift()?.();
  await second;
  finish.shift()?.();
  await held.close({ drainMs: 0 });
});

test('what a full group refuses does not reach other threads', async () => {
  const transport = memory({ hub: 'threads-full', threads: true });
  const onSignal = vi.fn();
  const me = await connect({ transport, topic: 't', onSignal });
  const member = await connect({ transport, topic: 't' });
  const post = vi.spyOn(BroadcastChannel.prototype, 'postMessage').mockImplementation(() => {});
  await member.subscribe(() => new Promise(() => {}), { group: 'g', bufferSize: 1 });
  post.mockClear();
  let published = 0;
  for (; published < 70_000 && onSignal.mock.calls.length === 0; published++) {
    await me.publish({ type: 'x' }, { confirm: 'none' });
  }
  const overloaded = onSignal.mock.calls.filter(([{ error }]) => error?.code === 'overloaded').length;
  expect(overloaded).toBeGreaterThan(0);
  expect(post).toHaveBeenCalledTimes(published - overloaded);
  post.mockRestore();
  await Promise.all([me.close({ drainMs: 0 }), member.close({ drainMs: 0 })]);
});
