import { decodeEvents } from '@polycast/core/adapter';
import { expect, test, vi } from 'vitest';
import { connect } from '../src/index.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

/** As a source without leases hands it over, or one that says by both where it stands. */
function hand(transport: LoopTransport, position: string | undefined, lease = undefined as never): void {
  const [{ sink }] = transport.sinks as [(typeof transport.sinks)[0]];
  const whole = stranger(position ?? 'nowhere');
  decodeEvents(whole, (event) => void sink.deliver(event, lease, false, position), sink.corrupt);
}

test('a position comes without a lease, survives a schema that makes new data, and each event has its own', async () => {
  const transport = new LoopTransport({ replay: 'native' });
  const told = {
    '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value: { value } }) },
  };
  const me = await connect({ transport, topic: 't', self: { role: 'r' }, schemas: { told } });
  const seen: unknown[] = [];
  await me.subscribe(({ data }, { position }) => void seen.push([data, position]));
  for (const position of ['7', undefined, '8']) hand(transport, position);
  await vi.waitFor(() => expect(seen).toHaveLength(3));
  expect(seen).toEqual([
    [{ value: '7' }, '7'],
    [{ value: 'nowhere' }, undefined],
    [{ value: '8' }, '8'],
  ]);
  await me.close();
});

test('where there is a lease, it says the position', async () => {
  const transport = new LoopTransport({ settlement: 'native' });
  const me = await connect({ transport, topic: 't', self: { role: 'r' } });
  const seen: unknown[] = [];
  await me.subscribe((_, { position }) => void seen.push(position));
  hand(transport, undefined, Object.assign(leaseOf(), { position: '9' }) as never);
  expect(seen).toEqual(['9']);
  await me.close();
});
