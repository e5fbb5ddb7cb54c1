import { CATALOGUE, type CatalogueEntry } from './catalogue-data.ts';
import { PolycastError } from './error.ts';
import type { CapabilityName, Manifest } from './manifest.ts';

export { CATALOGUE, type CatalogueEntry };

/** The capabilities in the order of `CAPABILITIES`, whose sentences a browser need not download. A test holds it to them. */
export const NAMES =
  'everyone role instance carbonCopy groups settlement redelivery crashRedelivery delayedRelease deadLetter lock durable replay ttl order partitionKey dedupe gapDetection members request chunking binary filterPushDown backPressure confirm';

/** Schemes of the transports that offer a capability, those that do so natively first. */
export function transportsWith(capability: CapabilityName): readonly string[] {
  const at = NAMES.split(' ').indexOf(capability);
  const having = (level: string) => CATALOGUE.filter(({ levels }) => levels[at] === level);
  return [...having('n'), ...having('e')].map(({ transport }) => transport);
}

/**
 * The error for asking a transport for what it does not offer.
 * @param asked what the user wrote, as `durable: true`
 */
export function unsupported(capability: CapabilityName, manifest: Manifest, asked: string): PolycastError {
  const others = transportsWith(capability).filter((transport) => transport !== manifest.transport);
  const note = manifest.capabilities[capability].note;
  const where = others.length > 0 ? `; available on: ${others.join(', ')}` : '; no transport of this version offers it';
  return new PolycastError(
    'unsupported',
    `${manifest.transport} does not offer ${asked} (capability ${capability}${note === undefined ? '' : `: ${note.replace(/\.$/, '')}`})${where}`,
  );
}
