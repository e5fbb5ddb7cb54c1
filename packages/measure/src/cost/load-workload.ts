import { readFile } from 'node:fs/promises';
import { PolycastError } from '@polycast/core';
import { parseWorkload } from './parse-workload.ts';
import type { Workload } from './workload.ts';

/**
 * Reads a workload file: `.json` as JSON, anything else as YAML.
 * @throws PolycastError `invalid-configuration` if it cannot be read, or naming every problem with its line and column
 */
export async function loadWorkload(file: string): Promise<Workload> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new PolycastError('invalid-configuration', `${file}: cannot be read (${code})`, { cause: error });
  }
  return parseWorkload(text, { file, format: file.toLowerCase().endsWith('.json') ? 'json' : 'yaml' });
}
