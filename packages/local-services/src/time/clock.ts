/** Time as the broker sees it, so that tests (and a service whose clock is wrong) can set it. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Calls `task` once, at or soon after `atMs`. Never keeps the process alive. @returns what cancels it */
  at(atMs: number, task: () => void): () => void;
}

/** The longest delay `setTimeout` takes; later times are waited for in steps. */
const MAX_DELAY_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: Date.now,
  at(atMs, task) {
    let timer: NodeJS.Timeout;
    const wait = () => {
      const left = atMs - Date.now();
      timer = left > MAX_DELAY_MS ? setTimeout(wait, MAX_DELAY_MS) : setTimeout(task, Math.max(0, left));
      timer.unref();
    };
    wait();
    return () => clearTimeout(timer);
  },
};
