import type { ConformanceTarget } from '@polycast/conformance';
import { readTransportUrl } from '../transport-url.ts';
import { makeTarget } from './target.ts';

/**
 * What `compare` checks. On a service of its own everything is tried but silence: waiting until somebody notices
 * it is a quarter of the longest run.
 * @throws as {@link makeTarget}
 */
export async function firstLook(url: string, local: boolean): Promise<ConformanceTarget> {
  const target = await makeTarget(url, { local });
  if (!local || target.faults === undefined) return target;
  const { freeze: _freeze, thaw: _thaw, ...faults } = target.faults;
  const command = `polycast conform --url ${readTransportUrl(url).scheme}: --local`;
  return {
    ...target,
    faults,
    withoutFaults: { ...target.withoutFaults, freeze: `takes too long here; \`${command}\` tries it` },
  };
}
