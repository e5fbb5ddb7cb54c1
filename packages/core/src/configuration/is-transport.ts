import type { Transport } from '../contract/transport.ts';

export function isTransport(value: unknown): value is Transport {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Transport).open === 'function' &&
    typeof (value as Transport).manifest === 'object'
  );
}
