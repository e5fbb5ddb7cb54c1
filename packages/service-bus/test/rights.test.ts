import { describe, expect, it, vi } from 'vitest';
import { freshTopic, useService } from './service.ts';

const KEY = 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0';
const service = useService({
  accessRules: [
    { name: 'root', key: KEY, rights: ['manage', 'send', 'listen'] },
    { name: 'both', key: KEY, rights: ['send', 'listen'] },
    { name: 'listen', key: KEY, rights: ['listen'] },
    { name: 'send', key: KEY, rights: ['send'] },
  ],
});
const as = (name: string, key = KEY) => ({
  connectionString: `Endpoint=sb://127.0.0.1:${service.service.port};SharedAccessKeyName=${name};SharedAccessKey=${key};UseDevelopmentEmulator=true`,
});

describe('rights', () => {
  it.each([
    ['a wrong key', () => as('root', 'd3Jvbmc=')],
    ['an unknown name', () => as('nobody')],
  ])('%s is unauthorized, and not shown', async (_, access) => {
    const error = await service
      .join(freshTopic(), 'desk', access())
      .catch((thrown: unknown) => thrown as Error & { code?: string });
    expect(error).toMatchObject({ code: 'unauthorized' });
    expect(`${(error as Error).stack} ${JSON.stringify((error as Error).cause)}`).not.toContain(KEY);
  });

  it('without Manage what is missing is said in one error, and is enough', async () => {
    const topic = freshTopic();
    await expect(service.join(topic, 'desk', as('both'))).rejects.toThrow(
      new RegExp(`needed: topic "${topic}" \\(RequiresDuplicateDetection, window PT600S\\)$`),
    );
    service.service.broker.entities.createTopic(topic, { requiresDuplicateDetection: true });
    const kitchen = await service.join(topic, 'kitchen/k1', as('both'));
    const error = await kitchen.subscribe(() => {}, { lockMs: 60_000 }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'not-found' });
    const text = (error as Error).message;
    expect(text).toMatch(
      /subscription "instance\.k1\.1-[0-9a-f]{12}" \(LockDuration PT60S, MaxDeliveryCount 2000\) with rule \[.*'role:kitchen'/,
    );

    const [, name = ''] = /subscription "([^"]+)"/.exec(text) ?? [];
    const [, sql = ''] = /with rule \[(.*)\]/.exec(text) ?? [];
    service.service.broker.entities.createSubscription(topic, name, {}, {
      name: 'mine',
      filter: { kind: 'sql', expression: sql },
    } as never);
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push(event.data), { lockMs: 60_000 });
    const desk = await service.join(topic, 'desk', as('send'));
    await desk.publish({ type: 'order', data: 'bar' }, { to: 'role:bar' });
    await desk.publish({ type: 'order', data: 'kitchen' }, { to: 'role:kitchen' });
    await vi.waitFor(() => expect(seen).toEqual(['kitchen']));
    await kitchen.close();
    expect(service.subscriptions(topic).map((one) => one.name)).toEqual([name]);
  });

  it('a group without Manage needs three subscriptions, which one error says, and then works', async () => {
    const topic = freshTopic();
    const root = await service.join(topic, 'worker/root', as('root'));
    const join = async () => {
      const member = await service.join(topic, 'worker/w1', as('both'));
      const seen: unknown[] = [];
      const listen = (group: string) => member.subscribe((event) => void seen.push(event.data), { group });
      return { member, seen, listen };
    };
    const first = await join();
    const text = String(await first.listen('g').catch((thrown: Error) => thrown.message));
    const needed = [...text.matchAll(/subscription "([^"]+)" \(([^)]+)\) with rule \[([^\]]+)\]/g)];
    expect(needed.map(([, name]) => name).sort()).toEqual([
      expect.stringMatching(/^group\.worker\.g-[0-9a-f]{12}$/),
      expect.stringMatching(/^group\.worker\.g\.keyed-[0-9a-f]{12}$/),
      expect.stringMatching(/^instance-only\.w1\.1-[0-9a-f]{12}$/),
    ]);
    expect(text.match(/topic "/g)).toHaveLength(1);
    expect(needed.filter(([, , properties]) => properties?.includes('RequiresSession'))).toHaveLength(1);
    expect(text).not.toContain('mark.');

    const { entities } = service.service.broker;
    for (const [, name = '', properties = '', expression] of needed)
      entities.createSubscription(topic, name, { requiresSession: properties.includes('RequiresSession') }, {
        name: 'mine',
        filter: { kind: 'sql', expression },
      } as never);
    await first.listen('g');
    // What is for the instance is the same subscription for all its groups.
    const more = String(await first.listen('h').catch((thrown: Error) => thrown.message));
    expect([...more.matchAll(/subscription "([^"]+)"/g)].map(([, name]) => name)).toEqual([
      expect.stringMatching(/^group\.worker\.h-/),
      expect.stringMatching(/^group\.worker\.h\.keyed-/),
    ]);
    for (const to of ['*', 'role:worker', 'instance:w1', 'role:other'] as const)
      await root.publish({ type: 'x', data: to }, { to });
    await root.publish({ type: 'x', data: 'key' }, { partitionKey: 'k' });
    await vi.waitFor(() => expect([...first.seen].sort()).toEqual(['*', 'instance:w1', 'key', 'role:worker']));
    await first.member.close();
    expect(service.subscriptions(topic)).toHaveLength(3);
    // The same names in the next life.
    const second = await join();
    await second.listen('g');
    await root.close();
  });

  it('who may only listen hears, and is refused when it speaks', async () => {
    const topic = freshTopic();
    const root = await service.join(topic, 'desk', as('root'));
    const kitchen = await service.join(topic, 'kitchen', as('listen'));
    await expect(kitchen.publish({ type: 'order' })).rejects.toMatchObject({ code: 'unauthorized' });
    const error = await kitchen.subscribe(() => {}).catch((thrown: Error) => thrown);
    const [, name = ''] = /subscription "([^"]+)"/.exec((error as Error).message) ?? [];
    service.service.broker.entities.createSubscription(topic, name);
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push(event.data));
    await root.publish({ type: 'order', data: 1 });
    await vi.waitFor(() => expect(seen).toEqual([1]));
  });

  it('who may only send cannot subscribe', async () => {
    const topic = freshTopic();
    await service.join(topic, 'desk', as('root'));
    const sender = await service.join(topic, 'desk/d2', as('send'));
    await sender.publish({ type: 'order' });
    await expect(sender.subscribe(() => {})).rejects.toMatchObject({
      code: expect.stringMatching(/unauthorized|not-found/),
    });
  });

  it('a credential is as good as a key', async () => {
    const topic = freshTopic();
    await expect(
      service.join(topic, 'desk', {
        connectionString: undefined,
        fullyQualifiedNamespace: `127.0.0.1:${service.service.port}`,
        credential: { getToken: async () => ({ token: 'no.jwt.at-all', expiresOnTimestamp: Date.now() + 3_600_000 }) },
        connectTimeoutMs: 3_000,
      } as never),
    ).rejects.toMatchObject({ code: expect.stringMatching(/protocol-mismatch|unreachable|unauthorized/) });
  });
});
