import { describe, expect, test } from 'vitest';
import { unsupported } from '../src/contract/unsupported.ts';
import { connect } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

describe('what is not offered', () => {
  const { manifest } = new LoopTransport({ durable: 'none' });
  const offeredBy = { durable: ['log', 'loop', 'table'], replay: [] };

  test('names the others that offer it, as the adapter lists them', () => {
    const error = unsupported('durable', manifest, 'durable: true', offeredBy);
    expect(error.code).toBe('unsupported');
    expect(error.message).toMatch(
      /^unsupported: loop does not offer durable: true \(capability durable[^)]*\); available on: log, table$/,
    );
    expect(unsupported('replay', manifest, 'from', offeredBy).message).toMatch(
      /no transport of this version offers it$/,
    );
  });

  test('names none where the adapter knows of none', () => {
    for (const known of [undefined, {}, Object.create({ durable: ['log'] }), { durable: 'log' } as never]) {
      expect(unsupported('durable', manifest, 'durable: true', known).message).toMatch(/\)$/);
    }
  });

  test('is what a subscription is refused with', async () => {
    const transport = Object.assign(new LoopTransport({ durable: 'none' }), { offeredBy: async () => offeredBy });
    const broadcaster = await connect({ transport, topic: 'orders' });
    await expect(broadcaster.subscribe(() => {}, { durable: true })).rejects.toThrow(/available on: log, table$/);
    await broadcaster.close();
  });

  test('is refused as well where what others offer cannot be read', async () => {
    const offeredBy = () => Promise.reject(new Error('no catalogue'));
    const transport = Object.assign(new LoopTransport({ durable: 'none' }), { offeredBy });
    const broadcaster = await connect({ transport, topic: 'orders' });
    await expect(broadcaster.subscribe(() => {}, { durable: true })).rejects.toMatchObject({ code: 'unsupported' });
    await broadcaster.close();
  });
});
