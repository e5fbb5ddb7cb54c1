import { SCHEMES } from '@polycast/catalogue';
import { readTransportUrl as read, type TransportAddress } from '@polycast/core/configuration';

/** A URL as every transport of this version writes it. @throws PolycastError `invalid-configuration` when it is not one */
export function readTransportUrl(url: string): TransportAddress {
  return read(url, SCHEMES);
}
