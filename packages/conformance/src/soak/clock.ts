/** In the environment of a participant: how much its wall clock differs, ms. */
export const CLOCK_VARIABLE = 'POLYCAST_SOAK_CLOCK_MS';

const realNow = Date.now.bind(Date);
let offsetMs = 0;
let isShifted = false;

/** From now on this process believes that it is earlier or later. Its monotonic clocks go on as they did. */
export function setClock(byMs: number): void {
  offsetMs = byMs;
  if (isShifted || byMs === 0) return;
  isShifted = true;
  const RealDate = Date;
  RealDate.now = () => realNow() + offsetMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [RealDate.now()] : args, newTarget) as object,
  });
}

setClock(Number(process.env[CLOCK_VARIABLE] ?? 0));
