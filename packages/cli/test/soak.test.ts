import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SoakReport } from '@polycast/conformance/soak';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../src/index.ts';
import { emptyFolder, polycast, start } from './cli.ts';

describe('polycast conform --soak', () => {
  test('plays histories with faults, prints a table, and writes what it saw', async () => {
    const cwd = emptyFolder();
    const args = [
      'conform',
      '--soak',
      '--url',
      'redis:',
      '--local',
      '--faults',
      '6',
      '--seed',
      '7',
      '--json',
      'soak.json',
    ];
    const { exit, out, err } = await polycast(args, { cwd });
    expect(exit, err).toBe(EXIT.ok);
    const report = JSON.parse(readFileSync(join(cwd, 'soak.json'), 'utf8')) as SoakReport;
    expect(report.failures, err).toEqual([]);
    expect(exit).toBe(EXIT.ok);
    expect(report).toMatchObject({ transport: 'redis', seed: 7, unannounced: 0, falseSignals: 0, residue: 0 });
    expect(report.published).toBeGreaterThan(0);
    const done = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
    expect(done).toBeGreaterThanOrEqual(6);
    for (const row of ['published', 'lost', 'duplicated', 'reordered', 'unannounced', 'false signals', 'residue']) {
      expect(out).toContain(row);
    }
    expect(out).toContain('no promise was broken');
    expect(out).toContain('seed 7');
  }, 120_000);

  test('Ctrl-C prints what was seen so far', async () => {
    const running = start(['conform', '--soak', '--url', 'memory:', '--faults', '100000']);
    await running.says('soak memory');
    running.ctrlC();
    expect(await running.exit).toBe(EXIT.interrupted);
    expect(running.out()).toContain('published');
  }, 60_000);

  test('refuses what makes no sense together, before anything is started', async () => {
    for (const args of [
      ['--faults', '10'],
      ['--soak', '--only', 'ttl'],
      ['--soak', '--faults', '0'],
    ]) {
      const { exit, out } = await polycast(['conform', '--url', 'memory:', ...args]);
      expect({ args, exit, out }).toEqual({ args, exit: EXIT.usage, out: '' });
    }
  });
});
