import { type Broadcaster, connect, type Transport } from '@polycast/core';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { redis, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { freshTopic } from './link.ts';

let server: RedisServer;
let admin: Redis;
const opened: Broadcaster[] = [];

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  admin.on('error', () => {});
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

async function join(transport: Transport, topic: string, role: string): Promise<Broadcaster> {
  const broadcaster = await connect({ transport, topic, self: { role, instance: role } });
  opened.push(broadcaster);
  return broadcaster;
}

/** Channels listened to, without that of roll calls and replies. */
async function channels(topic: string): Promise<readonly string[]> {
  const all = (await admin.pubsub('CHANNELS', `polycast:{${topic}}:*`)) as string[];
  return all
    .map((channel) => channel.slice(`polycast:{${topic}}:`.length))
    .filter((name) => !name.includes('polycast.'));
}

describe('a filter on whom an event is for', () => {
  it('has the server bring the channels that can carry it, and no others', async () => {
    const topic = freshTopic();
    const desk = await join(redis({ url: server.url }), topic, 'desk');
    const kitchen = await join(redis({ url: server.url }), topic, 'kitchen');
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push(event.data), { filter: "to = 'role:kitchen' AND table > 1" });
    expect(await channels(topic)).toContain('role:kitchen');
    expect(await channels(topic)).not.toContain('*');
    for (const table of [1, 2]) {
      await desk.publish({ type: 'order', table, data: `everyone ${table}` });
      await desk.publish({ type: 'order', table, data: `kitchen ${table}` }, { to: 'role:kitchen' });
      await desk.publish({ type: 'order', table, data: `both ${table}` }, { to: ['role:kitchen', 'role:bar'] });
    }
    await vi.waitFor(() => expect(seen).toEqual(['kitchen 2']));
  });

  it('on other attributes listens as if there were none', async () => {
    const topic = freshTopic();
    const kitchen = await join(redis({ url: server.url }), topic, 'kitchen');
    await kitchen.subscribe(() => {}, { filter: 'table > 1' });
    expect(await channels(topic)).toEqual(expect.arrayContaining(['*', 'role:kitchen', 'instance:kitchen']));
  });

  it('that nobody can fulfil hears nothing and fails nothing', async () => {
    for (const transport of [redis({ url: server.url }), redisStreams({ url: server.url })]) {
      const topic = freshTopic();
      const kitchen = await join(transport, topic, 'kitchen');
      const seen: unknown[] = [];
      await kitchen.subscribe((event) => void seen.push(event.data), { filter: "to = 'role:bar'" });
      await kitchen.subscribe((event) => void seen.push(event.data), { filter: 'NOT EXISTS to' });
      await kitchen.publish({ type: 'order', data: 1 }, { carbonCopy: true });
      await vi.waitFor(() => expect(seen).toEqual([1]));
    }
  });

  it('reads the streams that can carry it, plainly and in a group', async () => {
    const topic = freshTopic();
    const transport = () => redisStreams({ url: server.url });
    const desk = await join(transport(), topic, 'desk');
    const kitchen = await join(transport(), topic, 'kitchen');
    const plain: unknown[] = [];
    const grouped: unknown[] = [];
    const filter = "to = 'role:kitchen'";
    await kitchen.subscribe((event) => void plain.push(event.data), { filter });
    await kitchen.subscribe((event) => void grouped.push(event.data), { filter, group: 'cooks' });
    for (const n of [1, 2, 3]) {
      await desk.publish({ type: 'order', data: `everyone ${n}` });
      await desk.publish({ type: 'order', data: n }, { to: 'role:kitchen' });
    }
    await vi.waitFor(() =>
      expect([plain, grouped]).toEqual([
        [1, 2, 3],
        [1, 2, 3],
      ]),
    );
    const groupsOf = async (address: string) =>
      ((await admin.xinfo('GROUPS', `polycast:{${topic}}:${address}`)) as unknown[]).length;
    expect([await groupsOf('role:kitchen'), await groupsOf('*')]).toEqual([1, 0]);
  });
});
