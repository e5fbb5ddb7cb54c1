import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pass } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isStarved } from '../src/soak/starved.ts';

test('late without having computed: starved', () => {
  expect([isStarved(499, 0), isStarved(500, 0), isStarved(2_000, 900)]).toEqual([false, true, true]);
  // A process that is busy with itself has only itself to blame.
  expect(isStarved(2_000, 1_900)).toBe(false);
});

test('a process that was stopped says for how long', async () => {
  const built = new URL('../dist/soak/starved.js', import.meta.url).href;
  const text = `
    import { watchStarved } from ${JSON.stringify(built)};
    watchStarved((forMs) => console.log(forMs));
    process.stdin.resume();
    console.log('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', text], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (said: string) => lines.push(...said.trim().split('\n')));
  await expect.poll(() => lines).toContain('ready');
  child.kill('SIGSTOP');
  await pass(1_500);
  child.kill('SIGCONT');
  await expect.poll(() => Math.max(0, ...lines.slice(1).map(Number))).toBeGreaterThan(1_000);
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
});
