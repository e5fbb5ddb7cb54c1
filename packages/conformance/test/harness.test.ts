import { once } from 'node:events';
import { type AddressInfo, connect as connectTo, createServer, type Socket } from 'node:net';
import { type LinkContext, PolycastError, type Transport } from '@polycast/core/adapter';
import { afterEach, describe, expect, it } from 'vitest';
import { buildTarget, localServices, type ServiceAccess } from '../src/harness/index.ts';
import { fakeTransport, manifest } from './fake-transport.ts';

const fake = () => fakeTransport(manifest());

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function serverOf() {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  return { accepted, port: (server.address() as AddressInfo).port };
}

/** Its link holds one connection, which is made anew when it is lost; `opened` has all that were tried. */
function wired(port: number) {
  const opened: Socket[] = [];
  const transport: Transport = {
    ...fake(),
    async open() {
      let isOpen = true;
      const dial = (): Socket => {
        const socket = connectTo(port, '127.0.0.1').on('error', () => {});
        opened.push(socket);
        socket.once('close', () => isOpen && setTimeout(dial, 1));
        ends.push(() => socket.destroy());
        return socket;
      };
      await once(dial(), 'connect');
      return {
        publish() {},
        subscribe: () => ({ stop: async () => {}, close: async () => {} }),
        async close() {
          isOpen = false;
          opened.at(-1)?.destroy();
        },
      };
    },
  };
  return { transport, opened };
}

const CONTEXT: LinkContext = {
  topic: 'orders',
  self: { role: 'kitchen', instance: 'kitchen-1' },
  signal: () => {},
  meter: () => {},
};

const reachable = (socket: Socket | undefined) => socket !== undefined && !socket.destroyed && !socket.connecting;

describe('the participants of a harness', () => {
  it('are cut one and all, and come back', async () => {
    const { port } = await serverOf();
    const { transport, opened } = wired(port);
    const target = await buildTarget({ url: 'x:', transport: () => transport });
    const links = [await target.transport().open(CONTEXT), await target.transport().open(CONTEXT)];
    const before = opened.filter(reachable);
    const stranger = connectTo(port, '127.0.0.1');
    await once(stranger, 'connect');
    await target.faults?.cut?.();
    expect([before.length, before.some(reachable), reachable(stranger)]).toEqual([2, false, true]);
    await expect.poll(() => opened.filter(reachable).length).toBe(2);
    for (const link of links) await link.close();
    stranger.destroy();
  });

  it('are cut off one by one, for good: what they open later is refused', async () => {
    const { port, accepted } = await serverOf();
    const gone = wired(port);
    const stays = wired(port);
    // The first is asked for its manifest alone.
    const made = [stays.transport, gone.transport];
    const transport = () => made.shift() ?? stays.transport;
    const target = await buildTarget({ url: 'x:', transport, service: idle(port) });
    const abandoned = target.transport();
    const link = await abandoned.open(CONTEXT);
    const other = await target.transport().open(CONTEXT);
    await expect.poll(() => accepted.length).toBe(2);
    await target.faults?.abandon?.(abandoned);
    await expect.poll(() => gone.opened.length).toBeGreaterThan(3);
    expect([gone.opened.some(reachable), stays.opened.every(reachable), accepted.length]).toEqual([false, true, 2]);
    await link.close();
    await other.close();
    await expect(target.faults?.abandon?.(gone.transport)).rejects.toThrow(TypeError);
  });
});

describe('a harness', () => {
  function accessOf(more: Partial<ServiceAccess> = {}) {
    const removed: string[][] = [];
    const access: ServiceAccess = {
      residue: async () => [],
      remove: async (topics) => void removed.push([...topics]),
      ...more,
    };
    return { access, removed };
  }

  it('of a service of others removes what the run opened there, and leaves the service', async () => {
    const { port } = await serverOf();
    const { transport } = wired(port);
    const { access, removed } = accessOf();
    const target = await buildTarget({ url: 'x:', transport: () => transport, access });
    await (await target.transport().open(CONTEXT)).close();
    expect(Object.keys(target.faults ?? {})).toEqual(['cut', 'abandon']);
    await target.dispose?.();
    expect(removed).toEqual([['polycast-probe', 'orders']]);
  });

  it('says why residue is not looked for, where the service refuses that', async () => {
    const { port } = await serverOf();
    const { transport } = wired(port);
    const { access } = accessOf({ residue: async () => Promise.reject(new Error('not for you')) });
    const target = await buildTarget({ url: 'x:', transport: () => transport, access });
    expect([target.residue, target.withoutFaults]).toEqual([
      undefined,
      { residue: 'the service refuses inspection: not for you' },
    ]);
  });

  it('of a service of others that cannot be used is not made', async () => {
    const refusal = new PolycastError('unauthorized', 'not for you');
    const transport: Transport = { ...fake(), open: async () => Promise.reject(refusal) };
    await expect(buildTarget({ url: 'x:', transport: () => transport })).rejects.toBe(refusal);
  });

  it('lets go of its own connection before it breaks its service, and stops that in the end', async () => {
    const did: string[] = [];
    const service = idle(1, did);
    const { access, removed } = accessOf({ rest: async () => void did.push('rest') });
    const target = await buildTarget({ url: 'x:', transport: fake, access, service });
    for (const fault of ['restart', 'kill', 'start', 'freeze', 'thaw', 'cut'] as const)
      await target.faults?.[fault]?.();
    await target.dispose?.();
    const faults = ['restart', 'kill', 'start', 'freeze', 'thaw', 'cut'].flatMap((fault) => ['rest', fault]);
    expect([did, removed]).toEqual([[...faults, 'rest', 'stop'], []]);
  });

  it('needs the local services for a local run, and says so', async () => {
    const missing = Object.assign(new Error('no such package'), { code: 'ERR_MODULE_NOT_FOUND' });
    await expect(localServices(() => Promise.reject(missing))).rejects.toMatchObject({
      code: 'invalid-configuration',
      cause: missing,
    });
  });
});

/** A service that only says what is done to it. */
function idle(port: number, did: string[] = []) {
  const fault = (name: string) => async () => void did.push(name);
  const stop = fault('stop');
  return {
    url: 'x:',
    port,
    restart: fault('restart'),
    kill: fault('kill'),
    start: fault('start'),
    freeze: fault('freeze'),
    thaw: fault('thaw'),
    cut: fault('cut'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
