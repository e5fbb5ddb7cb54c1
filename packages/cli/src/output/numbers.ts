/** Three significant digits: `0.42 ms`, `13.8 ms`, `1.2 s`. */
export function showMs(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms >= 1_000) return `${significant(ms / 1_000)} s`;
  return `${significant(ms)} ms`;
}

export function showCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: count < 100 ? 1 : 0 });
}

/** `$1,234.50`; `–` where there is no price. */
export function showUsd(usd: number | null): string {
  if (usd === null) return '–';
  return usd.toLocaleString('en-US', { style: 'currency', currency: 'USD' });
}

/** `1.5 KB`, decimal. */
export function showBytes(bytes: number | null): string {
  if (bytes === null || !Number.isFinite(bytes)) return 'no limit';
  const step = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  let left = bytes;
  for (; left >= 1_000 && at < step.length - 1; at++) left /= 1_000;
  return `${significant(left)} ${step[at]}`;
}

function significant(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}
