import type { ServiceBusAdministrationClient } from '@azure/service-bus';

export interface Signer {
  getToken(audience: string): Promise<{ readonly token: string }>;
}

/**
 * Signs for an hour, as for AMQP. What the administration client of version 7.9.5 signs is good for five minutes: with a clock that is
 * slower than that, one would seem to have no rights.
 */
export function signerOf(client: ServiceBusAdministrationClient): Signer | undefined {
  const { credentials } = client as unknown as { credentials?: Signer };
  return typeof credentials?.getToken === 'function' ? credentials : undefined;
}
