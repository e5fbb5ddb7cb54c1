import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** Built, and in a process of its own: it replaces that one's clock. */
const clock = new URL('../dist/soak/clock.js', import.meta.url).href;

test('the clock of a participant is set for code that kept Date.now before, too', () => {
  const program = `
    import { setClock } from ${JSON.stringify(clock)};
    const kept = Date.now;
    const beforeMs = performance.now() - kept();
    setClock(600_000);
    const shifts = [kept(), Date.now(), new Date().getTime()].map((at) => at - performance.now() + beforeMs);
    console.log(JSON.stringify(shifts.map((shift) => Math.round(shift / 60_000))));
  `;
  const out = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  expect(JSON.parse(out)).toEqual([10, 10, 10]);
});
