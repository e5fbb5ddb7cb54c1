import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { emptyFolder, polycast } from './cli.ts';

let cwd: string;
beforeEach(() => {
  cwd = emptyFolder();
  // The configuration is looked up from the process's own folder.
  vi.spyOn(process, 'cwd').mockReturnValue(cwd);
});
afterEach(() => vi.restoreAllMocks());

describe('init', () => {
  test.each(['mjs', 'json'])('writes a %s file that doctor finds sound', async (format) => {
    const { exit, out } = await polycast(['init', '--format', format, '--url', 'memory:', '--name', 'local'], { cwd });
    expect(exit).toBe(0);
    expect(out).toContain(`wrote polycast.config.${format}`);
    const doctor = await polycast(['doctor', '--json', '-'], { cwd });
    const { findings } = JSON.parse(doctor.out) as { findings: { section: string; what: string; status: string }[] };
    expect(findings).toContainEqual(
      expect.objectContaining({ section: 'configured', what: `polycast.config.${format}`, status: 'ok' }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ section: 'reachable', what: 'local', status: 'ok' }));
    expect(doctor.exit).toBe(0);
  });

  test('writes TypeScript where tsconfig.json is', async () => {
    writeFileSync(join(cwd, 'tsconfig.json'), '{}');
    await polycast(['init'], { cwd });
    expect(readFileSync(join(cwd, 'polycast.config.ts'), 'utf8')).toContain(
      "import { defineConfig } from '@polycast/core'",
    );
  });

  test('never replaces a file without --force', async () => {
    writeFileSync(join(cwd, 'polycast.config.mjs'), 'mine');
    const refused = await polycast(['init', '--format', 'mjs'], { cwd });
    expect(refused.exit).toBe(2);
    expect(refused.err).toContain('--force');
    expect(readFileSync(join(cwd, 'polycast.config.mjs'), 'utf8')).toBe('mine');
    expect((await polycast(['init', '--format', 'mjs', '--force'], { cwd })).exit).toBe(0);
    expect(readFileSync(join(cwd, 'polycast.config.mjs'), 'utf8')).toContain('transports');
  });

  test('refuses to write a password down', async () => {
    const { exit, err } = await polycast(['init', '--url', 'redis://a:hunter2@h'], { cwd });
    expect(exit).toBe(2);
    expect(err).toContain('environment variable');
    expect(err).not.toContain('hunter2');
  });
});

describe('doctor', () => {
  test('tells what is installed', async () => {
    const { exit, out } = await polycast(['doctor'], { cwd });
    expect(exit).toBe(0);
    expect(out).toContain('All is well.');
    for (const name of ['node', '@polycast/core', '@polycast/memory', '@polycast/redis', 'redis-server'])
      expect(out).toContain(name);
  });

  test('shows the SDK that each adapter uses, and the versions that it takes', async () => {
    const { findings } = JSON.parse((await polycast(['doctor', '--json', '-'], { cwd })).out) as {
      findings: { what: string; status: string; detail: string }[];
    };
    for (const [sdk, adapter] of [
      ['ioredis', '@polycast/redis'],
      ['@azure/service-bus', '@polycast/service-bus'],
    ]) {
      const detail = expect.stringMatching(new RegExp(`^\\d+\\.\\d+\\.\\d+; ${adapter} takes \\^`));
      expect(findings).toContainEqual(expect.objectContaining({ what: sdk, status: 'ok', detail }));
    }
  });

  test('an SDK outside the range is a problem, with what to install', async () => {
    for (const [name, version] of [
      ['@polycast/redis', '1.0.0'],
      ['ioredis', '4.28.5'],
    ] as const) {
      const folder = join(cwd, 'node_modules', name);
      mkdirSync(folder, { recursive: true });
      const peerDependencies = name === 'ioredis' ? {} : { ioredis: '^5.9.0 || ^6.0.0' };
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version, peerDependencies }));
    }
    const { exit, out } = await polycast(['doctor'], { cwd });
    expect(exit).toBe(1);
    expect(out).toContain('4.28.5; @polycast/redis takes ^5.9.0 || ^6.0.0');
    expect(out).toContain('→ npm install "ioredis@^5.9.0 || ^6.0.0"');
  });

  test('a server that cannot be reached is a problem, told without its password', async () => {
    const { exit, out } = await polycast(['doctor', '--url', 'redis://a:hunter2@127.0.0.1:1'], { cwd });
    expect(exit).toBe(1);
    expect(out).toContain('unreachable');
    expect(out).toContain('→ check that the server is running');
    expect(out).not.toContain('polycast doctor --url');
    expect(out).toContain('1 problem.');
    expect(out).not.toContain('hunter2');
  });

  test('a broken configuration is a problem with its line', async () => {
    writeFileSync(join(cwd, 'polycast.config.json'), '{\n  "transprots": {}\n}\n');
    const { exit, out } = await polycast(['doctor'], { cwd });
    expect(exit).toBe(1);
    expect(out).toContain('polycast.config.json:2');
    expect(out).toContain('"transports"');
  });
});
