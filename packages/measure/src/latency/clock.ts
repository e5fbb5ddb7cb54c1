/**
 * The one clock of a measurement, in ms. `process.hrtime` reads CLOCK_MONOTONIC, which on Linux counts from the start of
 * the machine and is the same in every process and thread; on macOS and Windows its counterparts are machine-wide as well.
 * (`performance.now()` would not do: it counts from the start of each process.) As a double it is exact to 0.1 µs for years.
 */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
