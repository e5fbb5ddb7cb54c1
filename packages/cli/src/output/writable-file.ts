import { access, constants, realpath, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PolycastError } from '@polycast/core';
import type { Terminal } from './terminal.ts';

/**
 * Checks, before anything else is done, that a result can be written in the end. Creates and changes nothing.
 * @throws PolycastError `invalid-configuration`
 */
export async function checkWritable(file: string, terminal: Terminal): Promise<void> {
  const reason = await whyNot(resolve(terminal.cwd, file));
  if (reason !== undefined) throw new PolycastError('invalid-configuration', `${file} cannot be written (${reason})`);
}

async function whyNot(path: string): Promise<string | undefined> {
  try {
    const found = await statOf(path);
    if (found?.isDirectory()) return 'it is a directory';
    if (found?.isFIFO() || found?.isSocket()) return 'it is a pipe or a socket';
    if (found !== undefined) {
      await access(path, constants.W_OK);
      if ((await realpath(path)) === '/dev/full') return 'ENOSPC';
      return found.isFile() ? await noSpaceAt(path) : undefined;
    }
    // The nearest folder that is there: the others will be made.
    let folder = dirname(path);
    for (
      let at = await statOf(folder);
      at?.isDirectory() !== true;
      folder = dirname(folder), at = await statOf(folder)
    ) {
      if (at !== undefined) return 'ENOTDIR';
    }
    await access(folder, constants.W_OK | constants.X_OK);
    return await noSpaceAt(folder);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown error';
  }
}

/** Undefined where there is nothing. */
async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function noSpaceAt(path: string): Promise<string | undefined> {
  const { bavail, blocks } = await statfs(path);
  // Some file systems have no blocks to count.
  return blocks > 0 && bavail === 0 ? 'ENOSPC: no space is left' : undefined;
}
