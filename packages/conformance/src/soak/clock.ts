import { CLOCK_VARIABLE } from './order.ts';

const RealDate = Date;
const realNow = Date.now.bind(Date);
let offsetMs = Number(process.env[CLOCK_VARIABLE] ?? 0);

// Before anything else is loaded: what keeps `Date.now` for itself must see the same clock as what asks for it anew.
RealDate.now = () => realNow() + offsetMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now()] : args, newTarget) as object,
});

/** From now on this process believes that it is earlier or later. Its monotonic clocks go on as they did. */
export function setClock(byMs: number): void {
  offsetMs = byMs;
}
