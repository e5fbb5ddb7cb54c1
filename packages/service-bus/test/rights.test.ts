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
      /subscription "instance\.k1\.1-[0-9a-f]{12}" \(LockDuration PT60S, MaxDeliveryCount 2000\) with rules \[.*'role:kitchen'/,
    );

    const [, name = ''] = /subscription "([^"]+)"/.exec(text) ?? [];
    const [, sql = ''] = /with rules \[(.*)\]/.exec(text) ?? [];
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

  it('a group without Manage needs all of its subscriptions', async () => {
    const topic = freshTopic();
    const root = await service.join(topic, 'worker/root', as('root'));
    const member = await service.join(topic, 'worker/w1', as('both'));
    const error = await member.subscribe(() => {}, { group: 'g' }).catch((thrown: Error) => thrown);
    expect((error as Error).message.match(/subscription "group\.g\.[^"]+"/g)).toHaveLength(6);
    expect((error as Error).message.match(/RequiresSession/g)).toHaveLength(3);
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
