import { readFile, stat } from 'node:fs/promises';
import { PolycastError } from '@polycast/core';
import { MAX_WORKLOAD_LENGTH, parseWorkload } from './parse-workload.ts';
import type { Workload } from './workload.ts';

/**
 * Reads a workload file: `.json` as JSON, anything else as YAML.
 * @throws PolycastError `invalid-configuration` if it cannot be read, or naming every problem with its line and column
 */
export async function loadWorkload(file: string): Promise<Workload> {
  const text = await read(file);
  return parseWorkload(text, { file, format: file.toLowerCase().endsWith('.json') ? 'json' : 'yaml' });
}

async function read(file: string): Promise<string> {
  let bytes: number;
  try {
    bytes = (await stat(file)).size;
    if (bytes <= MAX_WORKLOAD_LENGTH) return await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new PolycastError('invalid-configuration', `${file}: cannot be read (${code})`, { cause: error });
  }
  throw new PolycastError('invalid-configuration', `${file}: ${bytes} bytes are too many for a workload`);
}
