import {
  CAPABILITIES,
  type Capability,
  type CapabilityName,
  type Level,
  type Manifest,
  type Transport,
} from '@polycast/core';

/** A manifest with every capability emulated, but those named otherwise. */
export function manifest(levels: Partial<Record<CapabilityName, Level>> = {}, more: Partial<Manifest> = {}): Manifest {
  const capabilities = Object.fromEntries(
    Object.keys(CAPABILITIES).map((name) => [name, { level: levels[name as CapabilityName] ?? 'emulated' }]),
  ) as Record<CapabilityName, Capability>;
  return {
    transport: 'fake',
    title: 'A transport for tests of the runner',
    guarantee: 'at-least-once',
    capabilities,
    limits: { maxEventBytes: 1_000, maxBatchEvents: 10, maxBatchBytes: 10_000, maxBatchesInFlight: 1 },
    billedUnits: [],
    ...more,
  };
}

/** A transport that nobody opens. */
export function fakeTransport(of: Manifest): Transport {
  return { manifest: of, location: 'fake://here', open: () => Promise.reject(new Error('nobody should open it')) };
}
