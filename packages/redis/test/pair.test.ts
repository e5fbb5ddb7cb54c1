import { harness } from '@polycast/redis/conformance';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';

it('the harness has another server take over, and the one before back again', async () => {
  const { faults, inject, dispose } = await harness({ url: new URL('redis+streams:'), local: true });
  const roleAt = async (port: number | undefined) => {
    const client = new Redis({ port: port as number });
    const [role] = (await client.call('ROLE')) as string[];
    client.disconnect();
    return role;
  };
  try {
    await inject?.('t', new TextEncoder().encode('before'));
    const first = await faults?.demote?.();
    expect(await roleAt(first?.port)).toBe('master');
    // What was written before is there, and what is done now is done to the server that took over.
    await inject?.('t', new TextEncoder().encode('after'));
    const client = new Redis({ port: first?.port as number });
    expect(await client.xlen('polycast:{t}:*')).toBe(2);
    client.disconnect();
    const second = await faults?.demote?.();
    expect(second?.port).not.toBe(first?.port);
    expect([await roleAt(second?.port), await roleAt(first?.port)]).toEqual(['master', 'slave']);
    expect(await faults?.demote?.()).toEqual(first);
  } finally {
    await dispose?.();
  }
}, 30_000);
