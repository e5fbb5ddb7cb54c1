/**
 * A participant of histories with faults: a program that does what it is told, and writes down what it does and sees.
 * It may be killed at any moment, so each line is handed to the kernel before anything else happens.
 */
// First of all, so that whatever keeps the time sees the clock that this process is given.
import './clock.ts';

import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { BroadcastEvent, Broadcaster, Delivery, Signal, Subscription, Transport } from '@polycast/core';
import type { CallOutcome, Happening, RecordedSignal } from '../history/record.ts';
import { seeded } from '../random.ts';
import { setClock } from './clock.ts';
import type { Answer, Order, PlannedEvent } from './order.ts';
import type { Mood } from './plan.ts';
import { watchStarved } from './starved.ts';
import { TimerOrigins } from './timer-origins.ts';

/** The pipe for the record. */
const RECORD_FD = 4;
const RETRY_EVERY_MS = 50;
const DRAIN_MS = 2_000;
const END_PARTS = 10;

type Told<What extends Order['do']> = Order extends infer One
  ? One extends { do: infer Does }
    ? [What] extends [Does]
      ? One
      : never
    : never
  : never;

interface Life {
  readonly broadcaster: Promise<Broadcaster | undefined>;
  closing: Promise<void> | undefined;
  leaving: boolean;
}

const timers = new TimerOrigins();
timers.watch();

const lives = new Map<string, Life>();
const subs = new Map<string, { open: Promise<Subscription | undefined>; ending: boolean }>();
let calm = false;
let release: () => void = () => {};
const calmed = new Promise<void>((resolve) => {
  release = resolve;
});
let calls = 0;

/** Written before it returns, whole. */
function write(line: (Happening & { at: number }) | Answer): void {
  let bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(RECORD_FD, bytes));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EAGAIN') process.exit(0);
    }
  }
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function note(happening: Happening): void {
  write({ at: nowMs(), ...happening });
}

process.on('message', (order: Order) => {
  switch (order.do) {
    case 'join':
      return join(order);
    case 'leave':
      return void leave(order.life);
    case 'subscribe':
      return subscribe(order);
    case 'close':
      return void close(order.sub);
    case 'pause':
    case 'resume':
      return void turn(order);
    case 'publish':
      return void publish(order);
    case 'calm':
      calm = true;
      return release();
    case 'clock':
      return setClock(order.offsetMs);
    case 'ping':
      return write({ what: 'pong', id: order.id, at: nowMs() });
    case 'usage': {
      const { user, system } = process.cpuUsage();
      return write({ what: 'usage', id: order.id, at: nowMs(), cpuMs: (user + system) / 1_000 });
    }
    case 'end':
      sayIfKept(order.withinMs);
      return process.disconnect();
  }
});
watchStarved((forMs) => note({ what: 'starved', forMs }));
// With its parent it goes, too, whatever it has open; told to end, it must do so by itself.
process.on('disconnect', () => {
  if (lives.size > 0) process.exit(0);
});

/**
 * Keeps nothing alive by itself. Each part of the time counts when it is over: on a busy machine all of it may pass between two
 * turns of the event loop, of which an end needs several.
 */
function sayIfKept(withinMs: number, parts = END_PARTS): void {
  setTimeout(() => {
    if (parts > 1) sayIfKept(withinMs, parts - 1);
    else write({ what: 'kept', by: keepers(), at: nowMs() });
  }, withinMs / END_PARTS).unref();
}

/** By kind, as Node names them; timers with the place where they were made. */
function keepers(): string[] {
  const origins = timers.keeping();
  const others = process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout' || origins.length === 0);
  return [...others, ...origins.map((origin) => `a timer made at ${origin}`)];
}

function join(order: Told<'join'>): void {
  note({
    what: 'join',
    life: order.life,
    instance: order.instance,
    role: order.role,
    process: order.process,
  });
  const life: Life = { broadcaster: Promise.resolve(undefined), closing: undefined, leaving: false };
  lives.set(order.life, life);
  (life as { broadcaster: Promise<Broadcaster | undefined> }).broadcaster = again(
    { life: order.life },
    () => life.leaving,
    async () => {
      const { connect } = await coreOf(order.module);
      const broadcaster = await connect({
        transport: await transportOf(order),
        topic: order.topic,
        self: { instance: order.instance, role: order.role },
        retry: { maxAttempts: 10, baseMs: 20, maxMs: 500 },
        onSignal: (signal) => note({ what: 'signal', life: order.life, signal: recorded(signal) }),
      });
      note({ what: 'joined', life: order.life });
      return broadcaster;
    },
  );
}

/** The copy of core that the adapter uses: another could not use its transport. */
async function coreOf(module: string): Promise<typeof import('@polycast/core')> {
  let file: string;
  try {
    file = createRequire(module).resolve('@polycast/core');
  } catch {
    return import('@polycast/core');
  }
  return import(pathToFileURL(file).href);
}

async function transportOf({ module, url, mutant }: Told<'join'>): Promise<Transport> {
  const { fromUrl } = (await import(module)) as { fromUrl: (url: URL) => Transport };
  const transport = fromUrl(new URL(url));
  if (mutant === undefined) return transport;
  const { MUTANTS } = await import('./mutants.ts');
  return MUTANTS.find(({ name }) => name === mutant)!.around(transport);
}

/** Until it succeeds, or is no longer wanted. */
async function again<Value>(
  of: { readonly life: string; readonly sub?: string },
  isOver: () => boolean,
  deed: () => Promise<Value>,
): Promise<Value | undefined> {
  for (let tries = 0; !isOver(); tries++) {
    try {
      return await deed();
    } catch (thrown) {
      const { message } = thrown as { message?: unknown };
      if (tries === 0 || of.sub !== undefined)
        note({ what: 'barred', ...of, code: codeOf(thrown), message: String(message).slice(0, 300) });
      await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY_MS));
    }
  }
  return undefined;
}

async function leave(id: string): Promise<void> {
  const life = lives.get(id);
  if (life === undefined || life.leaving) return;
  life.leaving = true;
  note({ what: 'leave', life: id });
  const broadcaster = await life.broadcaster;
  if (broadcaster !== undefined) {
    await broadcaster.close({ drainMs: DRAIN_MS });
    const { expired, duplicates, overflow } = broadcaster.dropped;
    note({ what: 'dropped', life: id, expired, duplicates, overflow });
  }
  lives.delete(id);
  note({ what: 'left', life: id });
}

function subscribe(order: Told<'subscribe'>): void {
  const life = lives.get(order.life);
  if (life === undefined || life.leaving) return;
  const { sub, kind, name, odd, tries, concurrency } = order;
  note({
    what: 'subscribe',
    sub,
    life: order.life,
    kind,
    ...(name === undefined ? {} : { name }),
    odd,
    tries,
    concurrency,
  });
  const entry = { open: Promise.resolve<Subscription | undefined>(undefined), ending: false };
  subs.set(sub, entry);
  entry.open = again(
    { life: order.life, sub },
    () => entry.ending || life.leaving,
    async () => {
      const broadcaster = await life.broadcaster;
      if (broadcaster === undefined) return undefined;
      const subscription = await broadcaster.subscribe((event, delivery) => handle(order, event, delivery), {
        ...(kind === 'group' ? { group: name! } : {}),
        ...(kind === 'durable' ? { durable: name! } : {}),
        ...(odd ? { filter: 'odd = TRUE' } : {}),
        concurrency,
        lockMs: order.lockMs,
        retry: { maxAttempts: tries, baseMs: 5, maxMs: 40 },
        onSignal: (signal) => note({ what: 'signal', life: order.life, sub, signal: recorded(signal) }),
      });
      note({ what: 'subscribed', sub });
      return subscription;
    },
  );
}

async function close(id: string): Promise<void> {
  const entry = subs.get(id);
  if (entry === undefined || entry.ending) return;
  entry.ending = true;
  note({ what: 'close', sub: id });
  await (await entry.open)?.close({ drainMs: DRAIN_MS });
  note({ what: 'closed', sub: id });
}

async function turn({ do: deed, sub }: Told<'pause' | 'resume'>): Promise<void> {
  const entry = subs.get(sub);
  if (entry === undefined || entry.ending) return;
  const subscription = await entry.open;
  if (subscription === undefined || entry.ending) return;
  note({ what: deed, sub });
  if (deed === 'pause') subscription.pause();
  else subscription.resume();
}

async function publish({ life: id, events, oneByOne }: Told<'publish'>): Promise<void> {
  const life = lives.get(id);
  const broadcaster = await life?.broadcaster;
  if (life === undefined || broadcaster === undefined) return;
  for (const event of events) {
    if (life.leaving) return;
    const sent = send(broadcaster, id, event);
    if (oneByOne) await sent;
  }
}

async function send(broadcaster: Broadcaster, life: string, event: PlannedEvent): Promise<void> {
  const { n, copy, id, to, key, ttlMs, carbonCopy, size, marker } = event;
  note({
    what: 'publish',
    life,
    n,
    copy,
    to,
    ...(key === undefined ? {} : { key }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(carbonCopy ? { carbonCopy } : {}),
    ...(marker === true ? { marker } : {}),
  });
  try {
    await broadcaster.publish(
      {
        type: 'soak',
        ...(id === undefined ? {} : { id }),
        odd: n % 2 === 1,
        data: size === 0 ? { n } : { n, padding: 'x'.repeat(size) },
      },
      {
        to,
        ...(key === undefined ? {} : { partitionKey: key }),
        ...(ttlMs === undefined ? {} : { ttlMs }),
        ...(carbonCopy ? { carbonCopy } : {}),
      },
    );
    note({ what: 'published', n, copy });
  } catch (thrown) {
    note({ what: 'refused', n, copy, code: codeOf(thrown) });
  }
}

function handle(order: Told<'subscribe'>, event: BroadcastEvent, delivery: Delivery): unknown {
  const { n } = event.data as { n: number };
  const call = `${process.pid}-${calls++}`;
  note({ what: 'call', call, sub: order.sub, n, id: event.id, attempt: delivery.attempt });
  const done = (outcome: CallOutcome) =>
    note({ what: 'done', call, outcome: delivery.abortSignal.aborted ? 'abandoned' : outcome });
  const random = seeded(order.seed ^ Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(delivery.attempt, 0x85ebca6b));
  const deed = calm ? 'accept' : chosen(order.mood, random());
  switch (deed) {
    case 'throws':
      done('failed');
      if (random() < 0.5) return Promise.reject(oddity(random()));
      throw oddity(random());
    case 'rejects':
      delivery.reject('the history says so');
      return done('rejected');
    case 'releases':
      delivery.release({ delayMs: Math.floor(random() * 50) });
      return done('released');
    case 'slow':
      return pass(random() * 30).then(() => done('accepted'));
    case 'late': {
      const fails = random() < 0.3;
      return pass(100 + random() * 700).then(() => {
        done(fails ? 'failed' : 'accepted');
        if (fails) throw new Error('late');
      });
    }
    case 'hangs':
      return calmed.then(() => done('accepted'));
    default:
      return done('accepted');
  }
}

function chosen(mood: Mood, dice: number): keyof Mood | 'accept' {
  let sum = 0;
  for (const name of ['throws', 'rejects', 'releases', 'slow', 'late', 'hangs'] as const) {
    sum += mood[name];
    if (dice < sum) return name;
  }
  return 'accept';
}

/** All that can be thrown. */
function oddity(dice: number): unknown {
  const all: readonly unknown[] = [
    new Error('thrown'),
    new Error('thrown'),
    undefined,
    null,
    'a string',
    Object.create(null),
    Object.assign(new Error('odd'), { message: { nested: true } }),
    {
      get message() {
        throw new Error('not even this can be read');
      },
    },
    Symbol('thrown'),
  ];
  return all[Math.floor(dice * all.length)];
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function recorded(signal: Signal): RecordedSignal {
  const { error, ...rest } = signal as Signal & { error?: unknown };
  if (error === undefined) return rest as RecordedSignal;
  return { ...(rest as RecordedSignal), code: codeOf(error), message: String((error as Error).message).slice(0, 300) };
}

function codeOf(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : 'unknown';
}
