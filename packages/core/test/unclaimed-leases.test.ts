import { expect, test } from 'vitest';
import { connect, type Signal } from '../src/index.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

test('a lease where settlement is not native is a failure with a code, told once; its events are handled', async () => {
  const transport = new LoopTransport({ settlement: 'emulated' });
  const signals: Signal[] = [];
  const me = await connect({ transport, topic: 't', self: { role: 'r' }, onSignal: (signal) => signals.push(signal) });
  const seen: unknown[] = [];
  await me.subscribe(({ data }) => void seen.push(data));
  const leases = [leaseOf(), leaseOf()];
  leases.forEach((lease, at) => void transport.receive(stranger(at), lease));
  expect(seen).toEqual([0, 1]);
  expect(leases.map(({ settled }) => settled)).toEqual([['accept'], ['accept']]);
  expect(signals).toMatchObject([{ kind: 'failed', what: 'source', error: { code: 'unsupported' } }]);
  await me.close();
});
