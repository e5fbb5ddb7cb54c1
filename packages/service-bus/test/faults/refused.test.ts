import type { Broadcaster } from '@polycast/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Scene, until } from './scene.ts';

const self = { role: 'shop', instance: 'shop-1' };
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };
const full = { name: 'full', key: 'a2V5LW9mLWFsbC1yaWdodHM=', rights: ['manage', 'send', 'listen'] } as const;
const send = { name: 'send-only', key: 'a2V5LW9mLXNlbmQtb25seQ==', rights: ['send'] } as const;
const listen = { name: 'listen-only', key: 'a2V5LW9mLWxpc3Rlbi1vbmx5', rights: ['listen'] } as const;
const use = { name: 'no-manage', key: 'a2V5LXdpdGhvdXQtbWFuYWdl', rights: ['send', 'listen'] } as const;

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open({ accessRules: [full, send, listen, use] });
});
afterEach(() => scene[Symbol.asyncDispose]());

function as({ name, key }: { name: string; key: string }): { connectionString: string } {
  const policy = /SharedAccessKeyName=[^;]+;SharedAccessKey=[^;]+/;
  const text = `SharedAccessKeyName=${name};SharedAccessKey=${key}`;
  return { connectionString: scene.connectionString.replace(policy, text) };
}

function makeTopic(): void {
  scene.service.broker.entities.createTopic(scene.topic, { requiresDuplicateDetection: true });
}

/** The only subscription of a participant with these options, made as the error says that it must be. */
async function makeWhatIsMissing(cast: Broadcaster): Promise<void> {
  const error = await scene.refused(cast.subscribe(() => {}));
  expect(error.code).toBe('not-found');
  const [, name = '', sql = ''] = /subscription "([^"]+)".* with rule \[(.+)\]/.exec(error.message) ?? [];
  scene.service.broker.entities.createSubscription(
    scene.topic,
    name,
    { lockDurationMs: 300_000, maxDeliveryCount: 2_000 },
    { name: 'asked', filter: { kind: 'sql', expression: sql } },
  );
}

describe('who is not let in', () => {
  it.each([
    ['wrong key', true],
    ['wrong key', false],
    ['wrong policy name', true],
    ['wrong policy name', false],
  ])('%s, create: %s', async (what, create) => {
    makeTopic();
    const wrong = what === 'wrong key' ? { ...full, key: 'd3Jvbmcta2V5' } : { ...full, name: 'nobody' };
    const error = await scene.refused(scene.join({ self, transport: { ...as(wrong), create } }));
    expect(error.code).toBe('unauthorized');
    expect(error.message).not.toContain(wrong.key);
    await scene.end();
  });

  it('topic missing, create: false', async () => {
    const error = await scene.refused(scene.join({ self, transport: { create: false } }));
    expect(error.code).toBe('not-found');
    expect(error.message).toContain(`needed: topic "${scene.topic}" (RequiresDuplicateDetection`);
    await scene.end();
  });

  it('topic missing, no Manage', async () => {
    const error = await scene.refused(scene.join({ self, transport: as(use) }));
    expect(error.code).toBe('not-found');
    expect(error.message).toContain(`topic "${scene.topic}"`);
    await scene.end();
  });

  it('a topic that cannot be used as it is', async () => {
    scene.service.broker.entities.createTopic(scene.topic, {});
    const error = await scene.refused(scene.join({ self }));
    expect(error.code).toBe('invalid-configuration');
    expect(error.message).toContain('duplicateDetectionMs');
    await scene.end();
  });
});

describe('who may do a part', () => {
  it('Send only: publishes, and may not listen', async () => {
    const { cast: listener } = await scene.join({ self: kitchen });
    const got: unknown[] = [];
    await listener.subscribe((event) => void got.push(event.data));
    const { cast } = await scene.join({ self, transport: as(send) });
    await cast.publish({ type: 'order', data: 1 });
    await until('it arrived', () => got.length === 1);
    expect((await scene.refused(cast.subscribe(() => {}))).code).toMatch(/^(unauthorized|not-found)$/);
    await scene.end();
  });

  it('Listen only: listens, and may not publish', async () => {
    makeTopic();
    const { cast } = await scene.join({ self, transport: as(listen) });
    await makeWhatIsMissing(cast);
    const got: unknown[] = [];
    await cast.subscribe((event) => void got.push(event.data));
    const { cast: sender } = await scene.join({ self: kitchen });
    await sender.publish({ type: 'order', data: 1 });
    await until('it arrived', () => got.length === 1);
    expect((await scene.refused(cast.publish({ type: 'order' }))).code).toBe('unauthorized');
    await until('it is settled', () => scene.held === 0);
    await scene.end({ keeps: 1 });
  });

  it('no Manage: says what is missing, and uses it once it is there', async () => {
    makeTopic();
    const { cast } = await scene.join({ self, transport: as(use) });
    await makeWhatIsMissing(cast);
    const got: unknown[] = [];
    await cast.subscribe((event) => void got.push(event.data));
    await cast.publish({ type: 'order', data: 1 }, { carbonCopy: true });
    await cast.publish({ type: 'order', data: 'not to oneself' });
    await cast.publish({ type: 'order', data: 2 }, { to: 'instance:shop-1', carbonCopy: true });
    await until('both arrived', () => got.length === 2);
    expect(got).toEqual([1, 2]);
    await scene.end({ keeps: 1 });
  });
});

describe('what is too much', () => {
  it('an event larger than the transport takes is refused before it is sent', async () => {
    const { cast } = await scene.join({ self });
    const before = scene.service.counts().billedOperations;
    const error = await scene.refused(cast.publish({ type: 'order', data: 'x'.repeat(300_000) }));
    expect(error.code).toBe('payload-too-large');
    expect(scene.service.counts().billedOperations).toBe(before);
    await scene.end();
  });

  it('an event larger than the namespace takes is refused by it, and its neighbours are not', async () => {
    const { cast } = await scene.join({ self, transport: { maxMessageBytes: 1_048_576 } });
    const { cast: listener } = await scene.join({ self: kitchen });
    const got: unknown[] = [];
    await listener.subscribe((event) => void got.push(event.id));
    const [before, large, after] = await Promise.allSettled([
      cast.publish({ type: 'order', id: 'before' }),
      cast.publish({ type: 'order', id: 'large', data: 'x'.repeat(300_000) }),
      cast.publish({ type: 'order', id: 'after' }),
    ]);
    expect([before.status, large.status, after.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((large as PromiseRejectedResult).reason).toMatchObject({ code: 'payload-too-large' });
    await until('the neighbours arrived', () => got.length === 2);
    expect(got).toEqual(['before', 'after']);
    await scene.end();
  });

  it('a filter longer than a rule may be is evaluated here', async () => {
    const { cast } = await scene.join({ self });
    const { cast: listener } = await scene.join({ self: kitchen });
    const got: unknown[] = [];
    const kinds = Array.from({ length: 200 }, (_, at) => `'order.kind-${at}'`);
    await listener.subscribe((event) => void got.push(event.type), { filter: `type IN (${kinds.join(', ')})` });
    for (const type of ['order.kind-0', 'order.none', 'order.kind-199']) await cast.publish({ type });
    await until('what fits arrived', () => got.length === 2);
    expect(got).toEqual(['order.kind-0', 'order.kind-199']);
    await until('what does not fit is settled', () => scene.held === 0);
    await scene.end();
  });

  it('a topic that is full: storage-full; who goes on trying gets through when there is room', async () => {
    const { entities } = scene.service.broker;
    entities.createTopic(scene.topic, { maxSizeInMegabytes: 1_024 });
    entities.createSubscription(scene.topic, 'hoard');
    const transport = { duplicateDetectionMs: 0 };
    const { cast } = await scene.join({ self, transport, retry: { maxAttempts: 1 } });
    await cast.publish({ type: 'ballast', data: 'x'.repeat(250_000) });
    const hoard = scene.service.broker.source(`${scene.topic}/Subscriptions/hoard`);
    const [ballast] = hoard.peek(0, 1);
    const target = scene.service.broker.target(scene.topic);
    expect(() => {
      for (;;) target.send([ballast?.content as never]);
    }).toThrow(/full/);

    const error = await scene.refused(cast.publish({ type: 'order', data: 'y'.repeat(250_000) }));
    expect([error.code, error.retryable]).toEqual(['storage-full', true]);

    const { cast: patient } = await scene.join({ self: kitchen, transport, retry: { maxAttempts: 1_000, maxMs: 20 } });
    const before = scene.service.counts().activeMessages;
    const publishing = patient.publish({ type: 'order', data: 'z'.repeat(250_000) });
    hoard.deleteBatch(4_000, scene.service.broker.now() + 1_000);
    await publishing;
    expect(scene.service.counts().activeMessages).toBeLessThan(before);
    entities.deleteSubscription(scene.topic, 'hoard');
    await scene.end();
  });

  it('a topic that has as many subscriptions as it may', async () => {
    const { cast } = await scene.join({ self });
    for (let at = 0; at < 2_000; at++) scene.service.broker.entities.createSubscription(scene.topic, `s${at}`);
    expect((await scene.refused(cast.subscribe(() => {}))).code).toBe('storage-full');
    await scene.end({ keeps: 2_000 });
  });
});
