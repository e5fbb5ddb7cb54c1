import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { UsageError } from '../exit-code.ts';
import type { Terminal } from '../output/terminal.ts';

/** An event as it stands in a file: CloudEvents JSON. */
export type EventObject = Readonly<Record<string, unknown>>;

/**
 * The events of a file, or of standard input for `-`: one JSON object, an array of them, or one a line.
 * @throws UsageError naming the line
 */
export async function readEvents(file: string, terminal: Terminal): Promise<readonly EventObject[]> {
  const written = file === '-' ? await text(terminal.stdin) : await readText(file, terminal);
  const name = file === '-' ? 'standard input' : file;
  const whole = parse(written);
  if (whole !== undefined) {
    const events = Array.isArray(whole.value) ? whole.value : [whole.value];
    return events.map((event, at) => checkEvent(event, `event ${at + 1} of ${name}`));
  }
  return written.split(/\r?\n/).flatMap((line, at) => {
    if (line.trim() === '') return [];
    const parsed = parse(line);
    if (parsed === undefined) throw new UsageError(`line ${at + 1} of ${name} is not JSON`);
    return [checkEvent(parsed.value, `line ${at + 1} of ${name}`)];
  });
}

/** Largest file of events, bytes. */
const MAX_EVENTS_BYTES = 256 * 1_048_576;

async function readText(file: string, terminal: Terminal): Promise<string> {
  const { readInputFile } = await import('@polycast/measure');
  return readInputFile(resolve(terminal.cwd, file), { maxBytes: MAX_EVENTS_BYTES });
}

function parse(json: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(json) };
  } catch {
    return undefined;
  }
}

function checkEvent(value: unknown, where: string): EventObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as EventObject;
  throw new UsageError(`${where} is not an event: an event is a JSON object`);
}
