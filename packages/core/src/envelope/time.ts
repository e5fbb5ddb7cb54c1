const MINUTE_MS = 60_000;
/** RFC 3339 ends with the year 9999. */
const LAST_MS = 253_402_300_799_999;

let lastMs = Number.NaN;
let lastText = '';
let lastMinute = Number.NaN;
let lastMinuteText = '';

/** Epoch ms as RFC 3339 with milliseconds, in UTC. Undefined where RFC 3339 has no words for it (before the year 0, after 9999). */
export function formatTime(epochMs: number): string | undefined {
  if (epochMs === lastMs) return lastText;
  if (!(epochMs >= 0 && epochMs <= LAST_MS)) return formatOddTime(epochMs);
  const whole = Math.trunc(epochMs);
  const minute = Math.floor(whole / MINUTE_MS);
  if (minute !== lastMinute) {
    lastMinuteText = new Date(minute * MINUTE_MS).toISOString().slice(0, 17);
    lastMinute = minute;
  }
  const rest = whole - minute * MINUTE_MS;
  lastText = `${lastMinuteText}${SECONDS[(rest / 1_000) | 0]}${MILLISECONDS[rest % 1_000]}`;
  lastMs = epochMs;
  return lastText;
}

function formatOddTime(epochMs: number): string | undefined {
  if (!(epochMs >= -62_167_219_200_000 && epochMs <= LAST_MS)) return undefined;
  return new Date(epochMs).toISOString();
}

const SECONDS = Array.from({ length: 60 }, (_, second) => `${String(second).padStart(2, '0')}.`);
const MILLISECONDS = Array.from({ length: 1_000 }, (_, ms) => `${String(ms).padStart(3, '0')}Z`);

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Epoch ms of an RFC 3339 timestamp (a leap second counts as the second before); NaN when it is none. */
export function parseTime(text: string): number {
  const parts = text.length <= 64 ? RFC_3339.exec(text) : null;
  if (parts === null) return Number.NaN;
  const [, year, month, day, hour, minute, second, fraction, zone] = parts;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return Number.NaN;
  const date = Date.UTC(2000, Number(month) - 1, Number(day));
  const base = new Date(date);
  // `Date.UTC` reads years below 100 as 19xx, and rolls the 30th of February over.
  base.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (base.getUTCMonth() !== Number(month) - 1 || base.getUTCDate() !== Number(day)) return Number.NaN;
  let offsetMinutes = 0;
  if (zone !== undefined && zone.length === 6) {
    const hours = Number(zone.slice(1, 3));
    const minutes = Number(zone.slice(4));
    if (hours > 23 || minutes > 59) return Number.NaN;
    offsetMinutes = (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  const seconds = Math.min(Number(second), 59);
  const ms = fraction === undefined ? 0 : Math.trunc(Number(fraction.slice(0, 4)) * 1_000 + 1e-6);
  return base.getTime() + (Number(hour) * 60 + Number(minute) - offsetMinutes) * MINUTE_MS + seconds * 1_000 + ms;
}
