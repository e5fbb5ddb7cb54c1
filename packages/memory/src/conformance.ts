import type { Harness } from '@polycast/conformance';
import { buildTarget } from '@polycast/conformance/harness';
import { fromUrl, heldAt, hubOf } from './adapter.ts';
import { openChannel } from './threads.ts';

let runs = 0;

/** As another thread would post it. Resolves when those who listen have it. */
async function inject(hub: string, topic: string, bytes: Uint8Array): Promise<void> {
  const [speaker, listener] = [openChannel(hub), openChannel(hub)];
  const post = (message: unknown) =>
    new Promise((resolve) => {
      listener.onmessage = resolve;
      speaker.postMessage(message);
    });
  await post({ topic, to: ['*'], json: new TextDecoder().decode(bytes) });
  // Channels are served in turn: when this one is served again, so were all others.
  await post('no message of ours');
  speaker.close();
  listener.close();
}

/** All that the conformance suite needs. `local` means a hub of the run's own. Faults of a service there are none. */
export const harness: Harness = async ({ url, local = false }) => {
  const at = local ? new URL(`memory:conformance-${++runs}${url.search}`) : url;
  const { location } = fromUrl(at);
  const threads = at.searchParams.get('threads') === 'true';
  return buildTarget({
    name: location,
    url: at.href,
    transport: () => fromUrl(at),
    access: {
      residue: async (topic) => heldAt(location, topic),
      ...(threads && { inject: (topic: string, bytes: Uint8Array) => inject(hubOf(at), topic, bytes) }),
    },
    remote: { module: new URL('./index.js', import.meta.url).href, urlAt: () => at.href },
  });
};
