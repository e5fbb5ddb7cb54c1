import { type RedisServer, startRedis } from '@polycast/local-services';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CommandWatch } from '../src/command-watch.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it('gives up what is late, in the order sent, and lets all else be', async () => {
  const client = new Redis(server.url, { commandTimeout: 200 });
  client.on('error', () => {});
  const watch = new CommandWatch(client, false);
  expect(await watch.run(() => client.echo('before'))).toBe('before');

  server.freeze();
  const gaveUp: string[] = [];
  const late = ['one', 'two'].map((text) =>
    watch.run(() => client.echo(text)).catch((error: Error) => gaveUp.push(`${text}: ${error.message}`)),
  );
  // Not sent through the watch: it keeps the timer that ioredis makes.
  await expect(client.echo('other')).rejects.toThrow('Command timed out');
  await Promise.all(late);
  expect(gaveUp).toEqual(['one: Command timed out', 'two: Command timed out']);

  server.thaw();
  expect(await watch.run(() => client.echo('after'))).toBe('after');
  watch.stop();
  client.disconnect();
});

it('hands on what sending throws, and the option is back in its place', () => {
  const client = new Redis(server.url, { commandTimeout: 200, lazyConnect: true });
  const watch = new CommandWatch(client, false);
  const throws = () => {
    throw new Error('no');
  };
  expect(() => watch.run(throws)).toThrow('no');
  expect(client.options.commandTimeout).toBe(200);
  client.disconnect();
});

it('leaves the timers of a client that was given', async () => {
  const client = new Redis(server.url, { commandTimeout: 200 });
  const watch = new CommandWatch(client, true);
  let seen: number | undefined;
  await watch.run(() => {
    seen = client.options.commandTimeout;
    return client.ping();
  });
  expect(seen).toBe(200);
  client.disconnect();
});
