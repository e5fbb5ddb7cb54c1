import type { Manifest } from '../contract/manifest.ts';

/**
 * The delay that the service is asked for, where it knows of delays, ms. Where it knows certain ones only: one of them.
 * @param isAsked by a handler: never less, but for what is beyond the longest. Otherwise never more
 */
export function serviceDelayMs({ capabilities }: Manifest, delayMs: number, isAsked: boolean): number | undefined {
  const { level, steps } = capabilities.delayedRelease;
  if (level !== 'native') return undefined;
  const all = steps?.delayMs ?? [delayMs];
  return (isAsked && all.find((step) => step >= delayMs)) || all.findLast((step) => step <= delayMs);
}
