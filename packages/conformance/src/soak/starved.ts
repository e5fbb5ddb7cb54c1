/** How often this process looks at the time, ms. */
const LOOK_EVERY_MS = 100;
/** Later than that, without having computed, it was given no time, ms. */
const STARVED_MS = 500;

/** @param lateMs how late a timer was @param computedMs what the process computed meanwhile */
export function isStarved(lateMs: number, computedMs: number): boolean {
  return lateMs >= STARVED_MS && computedMs < lateMs / 2;
}

/**
 * Calls back whenever this process has been given no time for long, with how long that was, ms: by a machine that has others to serve, or
 * since it was stopped. What it computed itself does not count. Keeps no process alive. @returns a function that ends it
 */
export function watchStarved(each: (forMs: number) => void): () => void {
  let dueMs = nowMs() + LOOK_EVERY_MS;
  let computedMs = computed();
  const timer = setInterval(() => {
    const now = nowMs();
    const before = computedMs;
    computedMs = computed();
    const lateMs = now - dueMs;
    dueMs = now + LOOK_EVERY_MS;
    if (isStarved(lateMs, computedMs - before)) each(lateMs);
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Whatever clock the process is given. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function computed(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
