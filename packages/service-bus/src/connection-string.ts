import { invalidConfiguration, type PolycastError } from '@polycast/core/adapter';

/** The parts of a connection string that say where and how, none of them a secret. */
export interface Endpoint {
  readonly host: string;
  readonly port: number | undefined;
  /** Plain AMQP and HTTP, as the vendor's emulator and the local service speak them. */
  readonly isEmulator: boolean;
}

/**
 * Reads what is needed of a connection string; the key is the SDK's concern.
 * @throws PolycastError `invalid-configuration`, without a word of the string
 */
export function readConnectionString(text: string): Endpoint {
  const parts = new Map<string, string>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (part.trim() === '') continue;
    if (equals < 1) throw refuse('it must consist of name=value pairs separated by semicolons');
    parts.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  const endpoint = parts.get('endpoint');
  if (endpoint === undefined) throw refuse('it has no Endpoint');
  if (parts.has('entitypath'))
    throw refuse('it is for one entity (EntityPath); remove EntityPath and use the option `topic`');
  const signed = parts.has('sharedaccesssignature');
  if (!signed && !(parts.has('sharedaccesskeyname') && parts.has('sharedaccesskey'))) {
    throw refuse('it needs SharedAccessKeyName and SharedAccessKey, or SharedAccessSignature');
  }
  return { ...hostOf(endpoint), isEmulator: /^true$/i.test(parts.get('usedevelopmentemulator') ?? '') };
}

/** @throws PolycastError `invalid-configuration` */
export function hostOf(endpoint: string): { host: string; port: number | undefined } {
  const match = /^(?:[a-z]+:\/\/)?(\[[0-9a-f:.]+\]|[^/:@\s]+)(?::(\d{1,5}))?\/?$/i.exec(endpoint);
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  if (match === null || port === 0 || (port ?? 0) > 65_535) throw refuse('its endpoint is not sb://host[:port]');
  return { host: (match[1] as string).toLowerCase(), port };
}

function refuse(reason: string): PolycastError {
  return invalidConfiguration(`invalid connection string: ${reason}`);
}
