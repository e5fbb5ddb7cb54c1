import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PolycastError, type Transport } from '@polycast/core';
import { memory } from '@polycast/memory';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { emptyFolder, polycast } from './cli.ts';

let cwd: string;
beforeEach(() => {
  cwd = emptyFolder();
  vi.spyOn(process, 'cwd').mockReturnValue(cwd);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('doctor shows what a transport signals about itself when it is connected to', async () => {
  const plain = memory();
  const error = new PolycastError('unsupported', 'the installed SDK differs from the known versions');
  const odd: Transport = {
    ...plain,
    open: (context) => {
      context.signal({ kind: 'failed', what: 'source', error });
      return plain.open(context);
    },
  };
  // The file is loaded by Node, which cannot read the sources of this workspace.
  vi.stubGlobal('odd', odd);
  writeFileSync(
    join(cwd, 'polycast.config.mjs'),
    'export default { transports: { odd: { transport: globalThis.odd } } };',
  );
  const { exit, out } = await polycast(['doctor'], { cwd });
  expect(exit).toBe(0);
  expect(out).toMatch(/✓ odd .*\n\s+→ unsupported: the installed SDK differs from the known versions/);
});
