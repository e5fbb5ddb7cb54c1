import { CATALOGUE, type CatalogueEntry } from './catalogue-data.ts';
import { PolycastError } from './error.ts';
import { CAPABILITIES, type CapabilityName, type Manifest } from './manifest.ts';

export { CATALOGUE, type CatalogueEntry };

/** Schemes of the transports that offer a capability, those that do so natively first. */
export function transportsWith(capability: CapabilityName): readonly string[] {
  const at = Object.keys(CAPABILITIES).indexOf(capability);
  const having = (level: string) => CATALOGUE.filter(({ levels }) => levels[at] === level);
  return [...having('n'), ...having('e')].map(({ transport }) => transport);
}

/**
 * The error for asking a transport for what it does not offer.
 * @param asked what the user wrote, as `durable: true`; left out, the capability's own sentence says it
 */
export function unsupported(capability: CapabilityName, manifest: Manifest, asked?: string): PolycastError {
  const others = transportsWith(capability).filter((transport) => transport !== manifest.transport);
  const what = asked === undefined ? `"${CAPABILITIES[capability]}"` : asked;
  const note = manifest.capabilities[capability].note;
  const where = others.length > 0 ? `; these do: ${others.join(', ')}` : '; no transport of this version does';
  return new PolycastError(
    'unsupported',
    `${manifest.transport} does not offer ${what} (capability ${capability}${note === undefined ? '' : `: ${note.replace(/\.$/, '')}`})${where}`,
  );
}
