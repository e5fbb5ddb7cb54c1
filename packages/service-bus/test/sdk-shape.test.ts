import { connect, type Signal } from '@polycast/core';
import { serviceBus } from '@polycast/service-bus';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { lackIn, sdkDifference } from '../src/sdk-internals/shape.ts';
import { freshTopic, isPublic, useService } from './service.ts';

const service = useService();

describe('the shape of the SDK', () => {
  afterEach(() => vi.unstubAllEnvs());

  it.skipIf(isPublic)('is the one that is known', () => {
    expect(sdkDifference()).toBeUndefined();
  });

  it('is not looked at where only the public face is asked for', () => {
    vi.stubEnv('POLYCAST_SERVICE_BUS_SDK', 'public');
    expect(sdkDifference()).toBe('POLYCAST_SERVICE_BUS_SDK is set');
  });

  it.each([
    ['a.b.go()', undefined],
    ['a.b{}', undefined],
    ['a.b.gone()', 'a.b.gone()'],
    ['a.b()', 'a.b()'],
    ['a.b.go{}', 'a.b.go{}'],
    ['z.b.go()', 'z.b.go()'],
    ['a.n.go()', 'a.n.go()'],
  ])('%s is missed: %s', (path, missed) => {
    expect(lackIn({ a: { n: null, b: { go: () => {} } } }, [path])).toBe(missed);
  });
});

describe('an SDK of another shape', () => {
  it('is used by its public face, and that is signalled once for each connection', async () => {
    vi.resetModules();
    vi.doMock('@azure/service-bus', async (original) => {
      const sdk = await original<typeof import('@azure/service-bus')>();
      // As a version would that calls it otherwise.
      class Renamed extends sdk.ServiceBusClient {
        constructor(...args: ConstructorParameters<typeof sdk.ServiceBusClient>) {
          super(...args);
          const self = this as unknown as { _connectionContext: { messageSessions: object; sessions?: object } };
          if (/nowhere/.test(String(args[0])))
            self._connectionContext = { ...self._connectionContext, messageSessions: undefined as never };
        }
      }
      return { ...sdk, ServiceBusClient: Renamed };
    });
    vi.stubEnv('POLYCAST_SERVICE_BUS_SDK', '');
    try {
      const [fresh, core] = await Promise.all([import('../src/index.ts'), import('@polycast/core')]);
      const topic = freshTopic();
      const signals: Signal[] = [];
      const transport = fresh.serviceBus({ connectionString: service.service.connectionString, closeTimeoutMs: 500 });
      await using desk = await core.connect({
        transport,
        topic,
        self: { role: 'desk' },
        onSignal: (signal) => signals.push(signal),
      });
      const handled: unknown[] = [];
      await desk.subscribe(({ data }) => void handled.push(data));
      await using other = await connect({
        transport: serviceBus({ connectionString: service.service.connectionString, closeTimeoutMs: 500 }),
        topic,
        self: { role: 'other' },
      });
      await other.publish({ type: 'x', data: 1 });
      await vi.waitFor(() => expect(handled).toEqual([1]), 5_000);
      expect(signals).toMatchObject([{ kind: 'failed', what: 'source', error: { code: 'unsupported' } }]);
      expect(transport.manifest.capabilities.order.note).toContain('public interface');
    } finally {
      vi.doUnmock('@azure/service-bus');
      vi.unstubAllEnvs();
      vi.resetModules();
    }
  });
});
