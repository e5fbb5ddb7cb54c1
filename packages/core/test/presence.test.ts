import type { Link, LinkContext } from '@polycast/core/adapter';
import { afterEach, describe, expect, test } from 'vitest';
import { type Broadcaster, type ConnectOptions, connect, type Signal } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

/** Notes who enters and leaves; each takes a moment, and may fail. */
class PresenceTransport extends LoopTransport {
  readonly log: string[] = [];
  failure: Error | undefined;

  constructor(billed: boolean) {
    super({ members: 'native' });
    const { capabilities } = this.manifest;
    Object.assign(this.manifest, { capabilities: { ...capabilities, members: { level: 'native', billed } } });
  }

  override async open(context: LinkContext): Promise<Link> {
    const link = await super.open(context);
    const note = (what: string) => async () => {
      await Promise.resolve();
      if (this.failure !== undefined) throw this.failure;
      this.log.push(what);
    };
    const close = async () => {
      this.log.push('close');
    };
    return Object.assign(link, { enter: note('enter'), leave: note('leave'), members: async () => [], close });
  }
}

const opened: Broadcaster[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close({ drainMs: 0 })));
});

async function join(transport: PresenceTransport, options: Partial<ConnectOptions> = {}): Promise<Broadcaster> {
  const one = await connect({ transport, topic: 'orders', ...options });
  opened.push(one);
  return one;
}

describe('a service that lists its members', () => {
  test('learns that a participant takes part with its first subscription, and no longer with its last', async () => {
    const transport = new PresenceTransport(false);
    const one = await join(transport);
    expect(transport.log).toEqual([]);
    const [first, second] = await Promise.all([one.subscribe(() => {}), one.subscribe(() => {}, { group: 'g' })]);
    expect(transport.log).toEqual(['enter']);
    await first.close();
    expect(transport.log).toEqual(['enter']);
    await second.close();
    await one.subscribe(() => {});
    expect(transport.log).toEqual(['enter', 'leave', 'enter']);
    await one.close();
    expect(transport.log).toEqual(['enter', 'leave', 'enter', 'leave', 'close']);
  });

  test('is told nothing of who only publishes', async () => {
    const transport = new PresenceTransport(false);
    const one = await join(transport);
    await one.publish({ type: 'order' });
    await one.close();
    expect(transport.log).toEqual(['close']);
  });

  test('a subscription that cannot enter rejects, and the next one tries again', async () => {
    const transport = new PresenceTransport(false);
    const one = await join(transport);
    transport.failure = new Error('no room');
    await expect(one.subscribe(() => {})).rejects.toThrow(/no room/);
    transport.failure = undefined;
    await one.subscribe(() => {});
    expect(transport.log).toEqual(['enter']);
  });

  test('who cannot leave says so, and closes all the same', async () => {
    const transport = new PresenceTransport(false);
    const signals: Signal[] = [];
    const one = await join(transport, { onSignal: (signal) => signals.push(signal) });
    await one.subscribe(() => {});
    transport.failure = new Error('no answer');
    await one.close();
    expect(signals).toMatchObject([{ kind: 'failed', error: { cause: transport.failure } }]);
    expect(transport.log).toEqual(['enter', 'close']);
  });
});

describe('where that is billed', () => {
  test('only who asks for it takes part, and may ask who does', async () => {
    const transport = new PresenceTransport(true);
    const one = await join(transport);
    await one.subscribe(() => {});
    expect(transport.log).toEqual([]);
    await expect(one.members()).rejects.toMatchObject({ code: 'invalid-configuration' });
    await expect(one.members()).rejects.toThrow(/connect\(\{ members: true \}\)/);
    const other = await join(transport, { members: true });
    await other.subscribe(() => {});
    expect(transport.log).toEqual(['enter']);
    expect(await other.members()).toEqual([]);
  });

  test('asking is refused where there is no list', async () => {
    const transport = new LoopTransport({ members: 'none' });
    await expect(connect({ transport, topic: 'orders', members: true })).rejects.toMatchObject({ code: 'unsupported' });
  });
});
