import type { Terminal } from './terminal.ts';

/** How often a terminal that is no screen is told of changes at most, in ms. */
const TELL_EVERY_MS = 5_000;

/** One line on stderr that is kept up to date. */
export interface LiveLine {
  show(text: string): void;
  /** Leaves what was shown last, and the cursor on the next line. */
  stop(): void;
}

/** On a screen the line is drawn over; else there is a new one when it changed, at most every 5 s. */
export function startLiveLine(terminal: Terminal): LiveLine {
  return terminal.progressScreen ? redrawn(terminal) : repeated(terminal);
}

function redrawn({ stderr, colors, columns }: Terminal): LiveLine {
  let shown = '';
  return {
    show(text) {
      // A line that wraps could not be drawn over.
      const fitting = text.slice(0, columns - 1);
      if (fitting === shown) return;
      shown = fitting;
      stderr.write(`\r\u001b[2K${colors.dim(fitting)}`);
    },
    stop() {
      if (shown !== '') stderr.write('\n');
    },
  };
}

function repeated({ stderr }: Terminal): LiveLine {
  let shown = '';
  let latest = '';
  let toldAtMs = Number.NEGATIVE_INFINITY;
  const tell = () => {
    if (latest !== shown) stderr.write(`${latest}\n`);
    shown = latest;
    toldAtMs = performance.now();
  };
  return {
    show(text) {
      latest = text;
      if (latest !== shown && performance.now() - toldAtMs >= TELL_EVERY_MS) tell();
    },
    stop: tell,
  };
}
