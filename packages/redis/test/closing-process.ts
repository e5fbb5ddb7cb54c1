import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '@polycast/core';
import { fromUrl } from '@polycast/redis';

/** Arguments: url, what to do, signal to wait for before closing. Prints what still keeps the process alive after close. */
const [url, deed, signal] = process.argv.slice(2) as [string, 'connect' | 'subscribe', string | undefined];

async function main(): Promise<void> {
  let heard = () => {};
  const seen = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const broadcaster = await connect({
    transport: fromUrl(new URL(url)),
    topic: 'closing',
    self: { role: 'closer' },
    onSignal: ({ kind }) => {
      if (kind === signal) heard();
    },
  });
  if (deed === 'subscribe') await broadcaster.subscribe(() => {});
  console.log('ready');
  // No timer and no socket of ours keeps this process alive.
  const alive = setInterval(() => {}, 1_000);
  if (signal !== undefined) await seen;
  clearInterval(alive);
  await broadcaster.close();
  // Sockets that were destroyed are gone a turn later.
  await delay(1);
  console.log(JSON.stringify(process.getActiveResourcesInfo().filter((kind) => kind !== 'PipeWrap')));
}

main().catch((thrown: { code?: string }) => console.log(`"${thrown.code}"`));
