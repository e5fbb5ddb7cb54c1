import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** What a process that does not end says of its timers. In a process of its own: it watches all of them. */

const module = fileURLToPath(new URL('../dist/soak/timer-origins.js', import.meta.url));

async function keeping(code: string): Promise<string[]> {
  const script = `
    import { promisify } from 'node:util';
    const { TimerOrigins } = await import(process.argv[1]);
    const origins = new TimerOrigins();
    origins.watch();
    ${code}
    process.stdout.write(JSON.stringify(origins.keeping()), () => process.exit());`;
  const args = ['--input-type=module', '--eval', script, module];
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout);
}

test('a timer that keeps the process is named with the place where it was made', async () => {
  const made = await keeping(`
    function leaves() { setInterval(() => {}, 10_000); }
    leaves();`);
  expect(made).toEqual([expect.stringContaining('leaves')]);
});

test('timers that are over, cleared or keep nothing alive are not', async () => {
  expect(
    await keeping(`
      setTimeout(() => {}, 60_000).unref();
      clearTimeout(setTimeout(() => {}, 60_000));
      await promisify(setTimeout)(1);
      for (let n = 0; n < 12_000; n++) clearTimeout(setTimeout(() => {}, 60_000));`),
  ).toEqual([]);
});
