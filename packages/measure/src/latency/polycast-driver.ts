import { SCHEMES } from '@polycast/catalogue';
import { type ConnectOptions, connect, type Transport } from '@polycast/core';
import { resolveTransport } from '@polycast/core/configuration';
import type { DriverTarget, LatencyDriver } from './driver.ts';

/** Measures the transport a target's URL names, with the whole contract on. */
export const driver: LatencyDriver = polycastDriver();

/** The transport a URL names. Connects to nothing. */
export async function transportOf({ url, transportModule }: Omit<DriverTarget, 'topic'>): Promise<Transport> {
  if (transportModule === undefined) return resolveTransport({ url, schemes: SCHEMES });
  const adapter = (await import(transportModule)) as { fromUrl(url: URL): Transport };
  return adapter.fromUrl(new URL(url));
}

/** @param transport instead of the URL's; called for every participant */
export function polycastDriver(transport?: () => Transport): LatencyDriver {
  const optionsFor = async ({ url, topic, transportModule }: DriverTarget, self: ConnectOptions['self']) => {
    // What is lost is counted by what arrives.
    const options = { topic, onSignal: () => {}, ...(self && { self }) };
    return { ...options, transport: transport?.() ?? (await transportOf({ url, transportModule })) };
  };
  return {
    async openPublisher(target) {
      const broadcaster = await connect(await optionsFor(target, { role: 'publisher' }));
      return {
        publish: (data) => broadcaster.publish({ type: 'polycast-bench.stamp', data }),
        close: () => broadcaster.close(),
      };
    },
    async openSubscriber(target, index, onPayload) {
      const self = { role: 'subscriber', instance: `subscriber-${index}` };
      const broadcaster = await connect(await optionsFor(target, self));
      await broadcaster.subscribe((event) => onPayload(event.data));
      return { close: () => broadcaster.close() };
    },
  };
}
