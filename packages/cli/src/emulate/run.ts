import { appendFile } from 'node:fs/promises';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { writeText } from '../output/json-file.ts';
import { startLiveLine } from '../output/live-line.ts';
import { showCount } from '../output/numbers.ts';
import type { Terminal } from '../output/terminal.ts';
import type { Emulation } from './service.ts';

/** How often it is looked whether the counts changed, in ms. */
const LOOK_EVERY_MS = 250;

/** Tells what clients need, then the counts as they change, until Ctrl-C. Whatever happens, the service is stopped. */
export async function runEmulation(
  emulation: Emulation,
  name: string,
  json: string | undefined,
  terminal: Terminal,
): Promise<ExitCode> {
  let stopped = false;
  try {
    const log = await openLog(json, terminal);
    await log({ event: 'started', service: name, ...emulation.details });
    if (json !== '-') announce(emulation, terminal);
    await tellCounts(emulation, log, terminal);
    const counts = emulation.counts();
    stopped = true;
    await emulation.stop();
    await log({ event: 'stopped', ...counts });
    return EXIT.ok;
  } finally {
    if (!stopped) await emulation.stop();
  }
}

function announce({ title, facts }: Emulation, { stdout, stderr, colors }: Terminal): void {
  stderr.write(`${colors.bold(title)} ${colors.dim('for development and tests (Ctrl-C ends)')}\n`);
  const width = Math.max(...facts.map(([label]) => label.length)) + 2;
  for (const [label, line] of facts) stdout.write(`${colors.dim(label.padEnd(width))}${line}\n`);
}

async function tellCounts(emulation: Emulation, log: Log, terminal: Terminal): Promise<void> {
  const { interrupted } = terminal;
  const line = startLiveLine(terminal);
  let before = '';
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        try {
          const counts = emulation.counts();
          const text = JSON.stringify(counts);
          line.show(inWords(counts, terminal.columns));
          if (text !== before) log({ event: 'counts', ...counts }).catch(reject);
          before = text;
        } catch (error) {
          reject(error as Error);
        }
      };
      look();
      // The service itself keeps no process alive; this does.
      timer = setInterval(look, LOOK_EVERY_MS);
      if (interrupted.aborted) resolve();
      else interrupted.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    clearInterval(timer);
    line.stop();
  }
}

/** `entities 3 · active 12 · dead lettered 0`; on a narrow screen only what is not 0. */
function inWords(counts: Readonly<Record<string, number>>, columns: number): string {
  const words = Object.entries(counts).map(
    ([name, count]) => `${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${showCount(count)}`,
  );
  const all = words.join(' · ');
  return all.length < columns ? all : words.filter((word) => !word.endsWith(' 0')).join(' · ');
}

type Log = (entry: object) => Promise<void>;

/** Where JSON lines go; nowhere without `--json`. Made before anything is told, so that a file that cannot be written is told first. */
async function openLog(json: string | undefined, terminal: Terminal): Promise<Log> {
  if (json === undefined) return async () => {};
  if (json === '-') return async (entry) => void terminal.stdout.write(`${JSON.stringify(entry)}\n`);
  const file = await writeText(json, '', terminal);
  let last: Promise<void> = Promise.resolve();
  return (entry) => {
    last = last.then(() => appendFile(file, `${JSON.stringify(entry)}\n`));
    return last;
  };
}
