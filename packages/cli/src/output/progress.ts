import { MultiBar, type SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.ts';

/** One piece of work that is under way. */
export interface Task {
  /** How far it is: `done` of the total, and a few words. */
  update(done: number, note?: string): void;
  finish(note: string): void;
}

/** Tells on stderr how far things are: bars on a screen, else lines: one when a task begins, one every 30 s, one when it ends. */
export interface Progress {
  task(name: string, total: number): Task;
  /** Gives the terminal back. */
  stop(): void;
}

export function startProgress(terminal: Terminal): Progress {
  return terminal.progressScreen ? bars(terminal) : lines(terminal);
}

function bars(terminal: Terminal): Progress {
  const { colors } = terminal;
  const multi = new MultiBar({
    stream: terminal.stderr as NodeJS.WriteStream,
    format: `  {name} ${colors.cyan('{bar}')} {percentage}% ${colors.dim('{note}')}`,
    barCompleteChar: '━',
    barIncompleteChar: colors.isColorSupported ? ' ' : '·',
    barsize: 28,
    hideCursor: true,
    autopadding: true,
    fps: 10,
    gracefulExit: false,
    emptyOnZero: true,
    forceRedraw: true,
  });
  return {
    task(name, total) {
      const bar: SingleBar = multi.create(total, 0, { name: name.padEnd(34), note: '' });
      return {
        update: (done, note = '') => bar.update(Math.min(done, total), { note }),
        finish(note) {
          bar.update(bar.getTotal(), { note });
          bar.stop();
        },
      };
    },
    stop: () => multi.stop(),
  };
}

/** How often a log is told how far a long task is, in ms. */
const TELL_EVERY_MS = 30_000;

function lines({ stderr }: Terminal): Progress {
  return {
    task(name, total) {
      stderr.write(`${name} …\n`);
      let toldAtMs = performance.now();
      return {
        update(done, note = '') {
          if (performance.now() - toldAtMs < TELL_EVERY_MS) return;
          toldAtMs = performance.now();
          stderr.write(`${name}: ${Math.min(done, total)} of ${total}${note === '' ? '' : `, ${note}`}\n`);
        },
        finish: (note) => stderr.write(`${name}: ${note}\n`),
      };
    },
    stop() {},
  };
}
