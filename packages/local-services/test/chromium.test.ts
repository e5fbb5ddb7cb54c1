import { accessSync, constants } from 'node:fs';
import { findChromium } from '@polycast/local-services';
import { afterEach, describe, expect, it, vi } from 'vitest';

afterEach(() => vi.unstubAllEnvs());

describe('findChromium', () => {
  it('takes what POLYCAST_CHROMIUM names', async () => {
    vi.stubEnv('POLYCAST_CHROMIUM', process.execPath);
    expect(await findChromium()).toBe(process.execPath);
  });

  it('refuses a POLYCAST_CHROMIUM that cannot be run', async () => {
    vi.stubEnv('POLYCAST_CHROMIUM', '/nowhere/chromium');
    await expect(findChromium()).rejects.toThrow(TypeError);
  });

  it('gives undefined where there is none and nothing can be installed', async () => {
    vi.stubEnv('POLYCAST_CHROMIUM', '');
    vi.stubEnv('PATH', '/nowhere');
    expect(await findChromium()).toBeUndefined();
  });

  it.skipIf(!process.env.CI)('finds or installs one under CI', { timeout: 300_000 }, async () => {
    vi.stubEnv('POLYCAST_CHROMIUM', '');
    const path = await findChromium();
    expect(path).toBeDefined();
    accessSync(path ?? '', constants.X_OK);
  });
});
