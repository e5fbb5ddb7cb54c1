import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PolycastError } from '@polycast/core';
import { withoutSecrets } from './secrets.ts';
import type { Terminal } from './terminal.ts';

/** Help text of every `--json` option. */
export const JSON_HELP = 'write the result as JSON to this file; - is stdout, and nothing else is printed there';

/** Writes a result where `--json` says. */
export async function writeJson(target: string, value: unknown, terminal: Terminal): Promise<void> {
  const text = `${JSON.stringify(withoutSecrets(value, terminal.secrets), undefined, 2)}\n`;
  if (target === '-') terminal.stdout.write(text);
  else await writeText(target, text, terminal);
}

/** Makes the folder if need be. @throws PolycastError `invalid-configuration` if the file cannot be written */
export async function writeText(file: string, text: string, terminal: Terminal): Promise<string> {
  const path = resolve(terminal.cwd, file);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new PolycastError('invalid-configuration', `${file} cannot be written (${why})`, { cause });
  }
  return path;
}
