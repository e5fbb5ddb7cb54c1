/** Of .NET's TimeSpan.MaxValue, which the service takes for "never". */
const MAX_MS = 922_337_203_685_477;
const DURATION = /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
/** Years and months as .NET counts them (XmlConvert.ToTimeSpan): 365 and 30 days. */
const UNITS_MS = [365 * 86_400_000, 30 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1_000] as const;

/** An ISO 8601 duration in ms; Infinity from the longest one on; undefined: it is none. */
export function parseDuration(text: string): number | undefined {
  const parts = text.length > 64 ? null : DURATION.exec(text);
  if (parts === null) return undefined;
  const ms = UNITS_MS.reduce((sum, unitMs, at) => sum + Number(parts[at + 1] ?? 0) * unitMs, 0);
  return ms >= MAX_MS ? Number.POSITIVE_INFINITY : ms;
}
