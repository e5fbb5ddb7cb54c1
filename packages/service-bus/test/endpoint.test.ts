import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect } from '@polycast/core';
import { type ServiceBusOptions, serviceBus } from '@polycast/service-bus';
import { afterEach, describe, expect, it } from 'vitest';
import { freshTopic, isPublic, useService } from './service.ts';

const service = useService();
const servers: { server: Server; sockets: Set<Socket> }[] = [];
afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
});

async function listen(host: string, onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  }).listen(0, host);
  servers.push({ server, sockets });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const at = (endpoint: string, text: string) => text.replace(/sb:\/\/[^;/]*/, `sb://${endpoint}`);
const open = (options: ServiceBusOptions) =>
  connect({
    transport: serviceBus({ connectTimeoutMs: 5_000, ...options }),
    topic: freshTopic(),
    self: { role: 'desk' },
  });

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

describe.skipIf(!hasIpv6)('an IPv6 address', () => {
  const forward = () =>
    listen('::1', (near) => {
      const far = dial(service.service.port, '127.0.0.1');
      far.on('error', () => near.destroy()).on('close', () => near.destroy());
      near.pipe(far).pipe(near);
    });

  const ways: [string, (port: number) => ServiceBusOptions][] = [
    ['a connection string', (port) => ({ connectionString: at(`[::1]:${port}`, service.service.connectionString) })],
    [
      'a custom endpoint',
      (port) => ({
        connectionString: service.service.connectionString,
        customEndpointAddress: `sb://[::1]:${port}`,
      }),
    ],
  ];

  it.runIf(isPublic).each(ways)(
    'is refused as %s where only the public face of the SDK is used',
    async (_, options) => {
      await expect(async () => open(options(1))).rejects.toThrow('cannot connect to an IPv6 address');
    },
  );

  it.skipIf(isPublic).each(ways)('is taken as %s: for administration and AMQP', async (_, options) => {
    const desk = await open(options(await forward()));
    await desk.publish({ type: 'x' });
    await desk.close();
  });
});

describe('a port that speaks otherwise', () => {
  const plain = 'Endpoint=sb://h;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true';
  const encrypted = 'Endpoint=sb://h;SharedAccessKeyName=n;SharedAccessKey=k';
  const ALERT = Buffer.from([0x15, 3, 3, 0, 2, 2, 70]);

  // The SDK says no more than that it failed to connect.
  const alert = isPublic ? [true] : [true, false];

  it.each(alert)('TLS instead of plain AMQP and HTTP: it is said (create: %s)', async (create) => {
    const port = await listen('127.0.0.1', (socket) => socket.once('data', () => socket.end(ALERT)));
    await expect(open({ connectionString: at(`127.0.0.1:${port}`, plain), create })).rejects.toMatchObject({
      message: expect.stringContaining('omit UseDevelopmentEmulator'),
    });
  });

  it.each([true, false])('plain AMQP and HTTP instead of TLS: it is said (create: %s)', async (create) => {
    const port = await listen('127.0.0.1', (socket) => socket.once('data', () => socket.end('AMQP\0\x01\0\0')));
    await expect(open({ connectionString: at(`127.0.0.1:${port}`, encrypted), create })).rejects.toMatchObject({
      message: expect.stringContaining('add UseDevelopmentEmulator=true'),
    });
  });

  it('nothing at all, where TLS is spoken to it: the error says that it was', async () => {
    const port = await listen('127.0.0.1', () => {});
    await expect(
      open({ connectionString: at(`127.0.0.1:${port}`, encrypted), connectTimeoutMs: 500 }),
    ).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('over TLS') });
  });
});
