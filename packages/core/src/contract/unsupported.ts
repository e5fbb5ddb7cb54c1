import { PolycastError } from './error.ts';
import type { CapabilityName, Manifest } from './manifest.ts';
import type { OfferedBy, Transport } from './transport.ts';

/** Makes the error for asking a transport for what it does not offer. `asked` is what the user wrote, as `durable: true`. */
export type Refuse = (capability: CapabilityName, asked: string) => PolycastError;

/** The refusals of a transport; they name those that offer what it lacks, if its adapter knows of any. Never rejects. */
export async function refusalsOf(transport: Transport): Promise<Refuse> {
  const offeredBy = await knownOffers(transport);
  return (capability, asked) => unsupported(capability, transport.manifest, asked, offeredBy);
}

async function knownOffers(transport: Transport): Promise<OfferedBy | undefined> {
  try {
    return await transport.offeredBy?.();
  } catch {
    return undefined;
  }
}

export function unsupported(
  capability: CapabilityName,
  manifest: Manifest,
  asked: string,
  offeredBy: OfferedBy | undefined,
): PolycastError {
  const { transport, capabilities } = manifest;
  const { note } = capabilities[capability];
  const all = offeredBy && Object.hasOwn(offeredBy, capability) ? offeredBy[capability] : undefined;
  let where = '';
  if (Array.isArray(all)) {
    const others = all.filter((other) => other !== transport);
    where = others.length > 0 ? `; available on: ${others.join(', ')}` : '; no transport of this version offers it';
  }
  return new PolycastError(
    'unsupported',
    `${transport} does not offer ${asked} (capability ${capability}${note === undefined ? '' : `: ${note.replace(/\.$/, '')}`})${where}`,
  );
}
