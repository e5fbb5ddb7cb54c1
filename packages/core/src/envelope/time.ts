const MINUTE_MS = 60_000;
/** 0000-01-01 and the end of 9999: RFC 3339 has no words beyond. */
const FIRST_MS = -62_167_219_200_000;
const LAST_MS = 253_402_300_799_999;

/**
 * Writes epoch ms as RFC 3339 in UTC, with milliseconds. Remembers the last time and the last minute, since many events share
 * them: use one for each kind of time.
 */
export class TimeWriter {
  #ms = Number.NaN;
  #text = '';
  #minute = Number.NaN;
  #minuteText = '';

  /** Undefined outside the years 0-9999, for which RFC 3339 has no words. */
  write(epochMs: number): string | undefined {
    if (epochMs === this.#ms) return this.#text;
    if (!(epochMs >= FIRST_MS && epochMs <= LAST_MS)) return undefined;
    const whole = Math.trunc(epochMs);
    const minute = Math.floor(whole / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minuteText = new Date(minute * MINUTE_MS).toISOString().slice(0, 17);
      this.#minute = minute;
    }
    const rest = whole - minute * MINUTE_MS;
    this.#text = this.#minuteText + SECONDS[(rest / 1_000) | 0] + MILLISECONDS[rest % 1_000];
    this.#ms = epochMs;
    return this.#text;
  }
}

const SECONDS = Array.from({ length: 60 }, (_, second) => `${String(second).padStart(2, '0')}.`);
const MILLISECONDS = Array.from({ length: 1_000 }, (_, ms) => `${String(ms).padStart(3, '0')}Z`);

/** Length of what {@link TimeWriter} writes. */
export const TIME_LENGTH = 24;

/**
 * Reads times in the very form that {@link TimeWriter} writes, at a place in a longer text. Remembers the last minute.
 */
export class TimeReader {
  #minuteText = '';
  #minuteMs = 0;

  /** Epoch ms; NaN when anything else stands there (which may still be RFC 3339: {@link parseTime}). */
  read(text: string, at: number): number {
    if (this.#minuteText === '' || !text.startsWith(this.#minuteText, at)) {
      const minuteText = text.slice(at, at + 17);
      const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:$/.test(minuteText) ? parseTime(`${minuteText}00Z`) : Number.NaN;
      if (Number.isNaN(ms)) return Number.NaN;
      this.#minuteText = minuteText;
      this.#minuteMs = ms;
    }
    const tens = text.charCodeAt(at + 17) - 48;
    const ones = text.charCodeAt(at + 18) - 48;
    const hundredths = text.charCodeAt(at + 20) - 48;
    const tenths = text.charCodeAt(at + 21) - 48;
    const last = text.charCodeAt(at + 22) - 48;
    const fits =
      tens >= 0 &&
      tens <= 5 &&
      ones >= 0 &&
      ones <= 9 &&
      hundredths >= 0 &&
      hundredths <= 9 &&
      tenths >= 0 &&
      tenths <= 9 &&
      last >= 0 &&
      last <= 9 &&
      text.charCodeAt(at + 19) === 0x2e &&
      text.charCodeAt(at + 23) === 0x5a;
    if (!fits) return Number.NaN;
    return this.#minuteMs + tens * 10_000 + ones * 1_000 + hundredths * 100 + tenths * 10 + last;
  }
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Epoch ms of an RFC 3339 timestamp, fractions of a ms cut off; NaN when it is none.
 * A leap second counts as the second before it.
 */
export function parseTime(text: string): number {
  const parts = text.length <= 64 ? RFC_3339.exec(text) : null;
  if (parts === null) return Number.NaN;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 60) return Number.NaN;
  // The constructor reads years below 100 as 19xx, and rolls the 30th of February over.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    return Number.NaN;
  const zone = parts[8]!;
  let offset = 0;
  if (zone.length === 6) {
    const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4))];
    if (hours > 23 || minutes > 59) return Number.NaN;
    offset = (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  const fraction = Number((parts[7] ?? '.').slice(1, 4).padEnd(3, '0'));
  return date.getTime() + (hour * 60 + minute - offset) * MINUTE_MS + Math.min(second, 59) * 1_000 + fraction;
}
