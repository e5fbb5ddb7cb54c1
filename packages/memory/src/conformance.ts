import type { Harness } from '@polycast/conformance';
import { fromUrl, heldAt } from './adapter.ts';

let runs = 0;

/** All that the conformance suite needs. `local` means a hub of the run's own. Faults of a service there are none. */
export const harness: Harness = async ({ url, local = false }) => {
  const at = local ? new URL(`memory:conformance-${++runs}${url.search}`) : url;
  const { location } = fromUrl(at);
  return {
    name: location,
    url: at.href,
    transport: () => fromUrl(at),
    residue: async (topic) => heldAt(location, topic),
  };
};
