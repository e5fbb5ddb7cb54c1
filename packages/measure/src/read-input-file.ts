import { open, stat } from 'node:fs/promises';
import { PolycastError } from '@polycast/core';

/**
 * The text of a file that a user named. Refuses what could not be read to its end: pipes and devices, which would wait for
 * ever, and files that are too large.
 * @throws PolycastError `invalid-configuration` with the file's name and the reason
 */
export async function readInputFile(file: string, { maxBytes }: { readonly maxBytes: number }): Promise<string> {
  let reason: string;
  try {
    const found = await stat(file);
    if (found.isDirectory()) reason = 'it is a directory';
    else if (!found.isFile()) reason = 'it is not a regular file';
    else if (found.size > maxBytes) reason = `it is too large (${found.size} bytes, maximum ${maxBytes})`;
    else return textOf(await readBytes(file, maxBytes));
  } catch (error) {
    reason = error instanceof RangeError ? error.message : reasonOf((error as NodeJS.ErrnoException).code);
  }
  throw new PolycastError('invalid-configuration', `${file}: cannot be read: ${reason}`);
}

/** In words where there are common ones. */
function reasonOf(code: string | undefined): string {
  if (code === 'ENOENT') return 'no such file';
  return code === 'EACCES' ? 'permission denied' : (code ?? 'unknown error');
}

/** Some files have no size and hold something all the same, and one may grow while it is read. */
async function readBytes(file: string, maxBytes: number): Promise<Buffer> {
  const handle = await open(file);
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      const { buffer, bytesRead } = await handle.read();
      if (bytesRead === 0) return Buffer.concat(chunks);
      length += bytesRead;
      if (length > maxBytes) throw new RangeError(`it is too large (maximum ${maxBytes} bytes)`);
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

function textOf(bytes: Buffer): string {
  if (bytes.includes(0)) throw new RangeError('it is a binary file');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RangeError('it is not UTF-8 text');
  }
}
