import { ReceiveBuffer } from '@polycast/core/adapter';
import { expect, it } from 'vitest';

/** Room for so many; `free` makes some. */
function sinkOf(capacity: number) {
  let roomy: (() => void)[] = [];
  return {
    capacity,
    ready() {
      if (this.capacity > 0) return Promise.resolve();
      return new Promise<void>((resolve) => roomy.push(resolve));
    },
    free(count: number) {
      this.capacity += count;
      for (const resolve of roomy) resolve();
      roomy = [];
    },
  };
}

function bufferOn(capacity: number) {
  const sink = sinkOf(capacity);
  const handed: number[] = [];
  const buffer = new ReceiveBuffer<number>(sink, (message) => {
    handed.push(message);
    sink.capacity--;
  });
  return { sink, handed, buffer };
}

it('hands on what the sink has room for, holds the rest, and hands that on in order when there is room', async () => {
  const { sink, handed, buffer } = bufferOn(2);
  expect([1, 2, 3, 4].map((n) => buffer.push(n))).toEqual([true, true, false, false]);
  expect([handed, buffer.held]).toEqual([
    [1, 2],
    [3, 4],
  ]);
  sink.free(1);
  await expect.poll(() => handed).toEqual([1, 2, 3]);
  sink.free(5);
  await expect.poll(() => handed).toEqual([1, 2, 3, 4]);
  expect(buffer.held).toEqual([]);
});

it('nothing overtakes what is held, although there is room', () => {
  const { sink, handed, buffer } = bufferOn(0);
  buffer.push(1);
  sink.capacity = 5;
  buffer.push(2);
  expect(handed).toEqual([]);
  buffer.look();
  return expect.poll(() => handed).toEqual([1, 2]);
});

it('says how many more may be asked for, and when there is room beyond what is under way', async () => {
  const { sink, buffer } = bufferOn(3);
  expect(buffer.room).toBe(3);
  expect(buffer.roomBeyond(() => 2)).toBeUndefined();
  buffer.push(1);
  buffer.push(2);
  buffer.push(3);
  let isRoomy = false;
  const waiting = Promise.resolve(buffer.roomBeyond(() => 2)).then(() => {
    isRoomy = true;
  });
  sink.free(2);
  buffer.look();
  await new Promise((resolve) => setTimeout(resolve));
  expect(isRoomy).toBe(false);
  sink.free(1);
  buffer.look();
  await waiting;
});

it('what is taken out is not handed on', async () => {
  const { sink, handed, buffer } = bufferOn(0);
  for (const n of [1, 2, 3]) buffer.push(n);
  expect(buffer.remove([3, 1, 9])).toEqual([1, 3]);
  sink.free(3);
  await expect.poll(() => handed).toEqual([2]);
});

it('is handed on when all that is held is', async () => {
  const { sink, handed, buffer } = bufferOn(0);
  await buffer.handedOn();
  buffer.push(1);
  const handedOn = buffer.handedOn();
  sink.free(1);
  await handedOn;
  expect(handed).toEqual([1]);
});

it('once stopped it hands on nothing, returns what it held, and nobody waits for room', async () => {
  const { sink, handed, buffer } = bufferOn(0);
  buffer.push(1);
  buffer.push(2);
  const waiting = buffer.roomBeyond(() => 0);
  expect(buffer.stop()).toEqual([1, 2]);
  await waiting;
  await buffer.handedOn();
  sink.free(2);
  buffer.look();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(handed).toEqual([]);
  expect(buffer.stop()).toEqual([]);
});
