// What sdk-versions.test.ts runs in a project of its own: `program.mjs <sdk> <scheme> …`. Prints a line of JSON.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { connect } from '@polycast/core';
import { startRedis } from '@polycast/local-services';

const [sdk, ...schemes] = process.argv.slice(2);
const PATIENCE_MS = 90_000;

async function until(holds, what) {
  const end = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function start(scheme) {
  if (scheme !== 'service-bus') {
    const server = await startRedis({ persistent: true });
    return {
      url: server.url.replace(/^redis:/, `${scheme}:`),
      break: () => server.restart(),
      stop: () => server.stop(),
    };
  }
  const { startServiceBus } = await import('@polycast/local-services/service-bus');
  const service = await startServiceBus();
  return { url: `service-bus:${service.connectionString}`, break: () => service.cut(), stop: () => service.stop() };
}

async function tryOut(scheme) {
  const server = await start(scheme);
  const signals = [];
  const opened = [];
  const join = async (role) => {
    const onSignal = (signal) => signals.push(signal);
    const one = await connect({ url: server.url, topic: 'orders', self: { role }, onSignal });
    opened.push(one);
    return one;
  };
  const desk = await join('desk');
  const kitchen = await join('kitchen');
  const handled = [];
  await kitchen.subscribe(({ data }) => void handled.push(data));

  await desk.publish({ type: 'order', data: { dish: 'soup' } });
  await desk.publish({ type: 'order', data: 'ümlaut' }, { to: 'role:kitchen' });
  await Promise.all(Array.from({ length: 50 }, (_, data) => desk.publish({ type: 'order', data })));
  await until(() => handled.length === 52, 'everything is received');
  if (handled[0].dish !== 'soup' || handled[1] !== 'ümlaut') throw new Error('received otherwise than sent');
  for (let at = 0; at < 50; at++) if (handled[at + 2] !== at) throw new Error(`not in order: ${handled.join()}`);

  const hasGroups = desk.manifest.capabilities.groups.level !== 'none';
  const shared = [];
  if (hasGroups) {
    for (const _ of [1, 2]) {
      const cook = await join('cook');
      await cook.subscribe(({ data }) => void shared.push(data), { group: 'cooks' });
    }
    for (let data = 0; data < 20; data++) await desk.publish({ type: 'job', data }, { to: 'role:cook' });
    await until(() => shared.length === 20, 'the group receives everything');
    if (new Set(shared).size !== 20) throw new Error('the group receives something twice');
  }

  await server.break();
  await until(() => signals.some(({ kind }) => kind === 'reconnected'), 'the connection comes back');
  handled.length = 0;
  for (let sent = 0; !handled.includes('again'); sent++) {
    await desk.publish({ type: 'order', data: 'again' }, { to: 'role:kitchen' }).catch(() => {});
    const end = performance.now() + 1_000;
    while (performance.now() < end && !handled.includes('again')) await new Promise((done) => setTimeout(done, 20));
    if (sent > PATIENCE_MS / 1_000) throw new Error('in vain: received after the connection was lost');
  }

  await Promise.all(opened.map((one) => one.close({ drainMs: 1_000 })));
  await server.stop();
  const failed = signals.filter(({ kind }) => kind === 'failed').map(({ error }) => error.message);
  return { scheme, groups: hasGroups, failed };
}

const { version } = createRequire(join(process.cwd(), 'package.json'))(`${sdk}/package.json`);
const runs = [];
for (const scheme of schemes) runs.push(await tryOut(scheme));
console.log(JSON.stringify({ sdk: version, runs }));
