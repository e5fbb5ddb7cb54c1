const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The longest time span of .NET, with which the service says "for ever". */
export const LONGEST = 'P10675199DT2H48M5.4775807S';
/** The same in ms, without its fraction. */
export const LONGEST_MS = 922_337_203_685_477;
/** The same in .NET's ticks of 100 ns. */
const LONGEST_TICKS = 9_223_372_036_854_775_807n;
const TICKS_PER_MS = 10_000n;

/** XML Schema duration. Years and months count 365 and 30 days, as in .NET. */
const DURATION =
  /^P(?=\d|T\d)(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,12})M)?(?:(\d{1,15})(?:\.(\d{1,20}))?S)?)?$/;

/** @returns ms, `Infinity` for the longest time span; undefined for what is longer, and for what is not a duration */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const [years, months, days, hours, minutes, seconds] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const wholeMs =
    (years * 365 + months * 30 + days) * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS;
  if (wholeMs > LONGEST_MS) return undefined;
  const ticks = BigInt(wholeMs) * TICKS_PER_MS + BigInt((match[7] ?? '').slice(0, 7).padEnd(7, '0'));
  if (ticks > LONGEST_TICKS) return undefined;
  const ms = Number(ticks / TICKS_PER_MS);
  return ms === LONGEST_MS ? Infinity : ms;
}

/** @param ms a whole number of 0 and more, or `Infinity` */
export function formatDuration(ms: number): string {
  if (ms >= LONGEST_MS) return LONGEST;
  const days = Math.floor(ms / DAY_MS);
  const hours = Math.floor(ms / HOUR_MS) % 24;
  const minutes = Math.floor(ms / MINUTE_MS) % 60;
  const seconds = (ms % MINUTE_MS) / SECOND_MS;
  const time = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${seconds ? `${seconds}S` : ''}`;
  const text = `${days ? `${days}D` : ''}${time ? `T${time}` : ''}`;
  return `P${text || 'T0S'}`;
}

const TIME_SPAN = /^(?:(\d{1,8})\.)?(\d{1,2}):([0-5]?\d):([0-5]?\d)(?:\.(\d{1,7}))?$/;

/** .NET's `[d.]hh:mm:ss[.fffffff]`, in which HTTP messages say their time to live. @returns ms, or undefined */
export function parseTimeSpan(text: string): number | undefined {
  const match = TIME_SPAN.exec(text);
  if (match === null || Number(match[2]) > 23) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1, 5).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  const ms =
    days * DAY_MS +
    hours * HOUR_MS +
    minutes * MINUTE_MS +
    seconds * SECOND_MS +
    Math.floor(Number(`0.${match[5] ?? 0}`) * 1000);
  return ms >= LONGEST_MS ? Infinity : ms;
}
