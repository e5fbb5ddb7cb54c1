import { readFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { freshTopic, useService } from './service.ts';

const service = useService();

describe('over WebSockets and HTTPS', () => {
  it('publishes and subscribes as over TCP, trusting an authority of its own', async () => {
    const ca = await readFile(await service.service.caFile());
    const options = {
      connectionString: service.service.tlsConnectionString,
      webSocketOptions: { webSocket: WebSocket, webSocketConstructorOptions: { ca } },
      administrationOptions: { tlsOptions: { ca } },
    } as never;
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk', options);
    const kitchen = await service.join(topic, 'kitchen', options);
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push(event.data), { group: 'g' });
    await Promise.all([1, 2, 3].map((data) => desk.publish({ type: 'order', data })));
    await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]));
  });

  it('does not talk to a service whose certificate nobody trusts', async () => {
    const webSocketOptions = { webSocket: WebSocket } as never;
    const connectionString = service.service.tlsConnectionString;
    for (const more of [{ connectionString, webSocketOptions }, { connectionString }]) {
      await expect(service.join(freshTopic(), 'desk', more)).rejects.toMatchObject({
        code: expect.stringMatching(/protocol-mismatch|unreachable/),
      });
    }
  });
});
