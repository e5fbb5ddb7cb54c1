import { PolycastError } from '../contract/error.ts';
import { onAbort } from '../timing/abort.ts';

/** How often a wait looks whether it is over. */
const PARTS = 5;

export interface WithinOptions {
  /** Ends the wait before its time. */
  readonly abortSignal?: AbortSignal | undefined;
  /** Makes what it rejects with when the time is over. @default PolycastError `timeout`, also where it returns undefined */
  late?(): unknown;
}

/**
 * Settles like `work`, unless the time is over first or the caller aborts. What `work` does later is ignored, and not unhandled. No timer and
 * no listener is left behind.
 *
 * Time in which this process was too busy to read what had come is not held against the service: each fifth of the wait counts when it is
 * over, and after the last one the process reads once more. So it may take longer than `timeoutMs`, never less.
 * @param timeoutMs at most 2,147,483,647, the longest time that a timer takes
 * @throws what `work` rejects with; PolycastError `timeout`, or what `late` makes; PolycastError `aborted`
 */
export function within<Value>(
  timeoutMs: number,
  work: Promise<Value>,
  { abortSignal, late }: WithinOptions = {},
): Promise<Value> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let off: (() => void) | undefined;
    let isOver = false;
    const end = () => {
      isOver = true;
      clearTimeout(timer);
      off?.();
    };
    const wait = (parts: number) => {
      const next = () => {
        if (parts > 0) return wait(parts - 1);
        end();
        reject(late?.() ?? new PolycastError('timeout', `timed out after ${timeoutMs} ms`));
      };
      // Timers come before input: what came while the process was busy is read between the last two.
      timer = setTimeout(next, parts > 0 ? Math.ceil(timeoutMs / PARTS) : 0);
    };
    work.then(
      (value) => {
        end();
        resolve(value);
      },
      (thrown: unknown) => {
        end();
        reject(thrown);
      },
    );
    off = onAbort(abortSignal, () => {
      end();
      reject(new PolycastError('aborted', 'the caller aborted'));
    });
    // A signal may be aborted already.
    if (isOver) off();
    else wait(PARTS);
  });
}

/** Waits for `work`, as `within` does. @returns did it settle in time? Never rejects: what failed has settled, too */
export async function settlesWithin(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const settled = work.then(
    () => true,
    () => true,
  );
  return within(timeoutMs, settled).catch(() => false);
}

/** Waits, for example before another try. Does not keep the process alive, and ends early when the caller aborts. Never rejects. */
export async function pause(ms: number, abortSignal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let off: (() => void) | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
    // A browser's timer is a number.
    (timer as { unref?(): void }).unref?.();
    off = onAbort(abortSignal, resolve);
  });
  clearTimeout(timer);
  off?.();
}
