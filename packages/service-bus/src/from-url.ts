import { PolycastError, suggestion, type Transport } from '@polycast/core/adapter';
import { serviceBus } from './adapter.ts';
import type { ServiceBusOptions } from './options.ts';

type Read = (text: string, name: string) => Partial<ServiceBusOptions>;

const number =
  (option: keyof ServiceBusOptions): Read =>
  (text, name) => {
    if (!/^\d{1,15}$/.test(text)) throw refuse(`${name} must be a whole number`);
    return { [option]: Number(text) };
  };
const text =
  (option: keyof ServiceBusOptions): Read =>
  (value) => ({ [option]: value });
const flag =
  (option: keyof ServiceBusOptions): Read =>
  (value, name) => {
    if (value !== 'true' && value !== 'false') throw refuse(`${name} must be true or false`);
    return { [option]: value === 'true' };
  };

const PARAMETERS: Readonly<Record<string, Read>> = {
  administrationUrl: text('administrationUrl'),
  customEndpointAddress: text('customEndpointAddress'),
  create: (value, name) => (value === 'subscriptions' ? { create: value } : flag('create')(value, name)),
  shareConnection: flag('shareConnection'),
  prefix: text('prefix'),
  duplicateDetectionMs: number('duplicateDetectionMs'),
  maxMessageBytes: number('maxMessageBytes'),
  prefetch: number('prefetch'),
  connectTimeoutMs: number('connectTimeoutMs'),
  operationTimeoutMs: number('operationTimeoutMs'),
  stalledAfterMs: number('stalledAfterMs'),
  keepAliveMs: number('keepAliveMs'),
  closeTimeoutMs: number('closeTimeoutMs'),
};

/** Says that the endpoint is an emulator: plain AMQP and HTTP. */
const EMULATOR = 'emulator';

/**
 * `service-bus://KEYNAME:KEY@host[:port]?option=value`, with name and key percent-encoded and `emulator=true` for one without TLS;
 * or `service-bus:` followed by a connection string as the portal shows it, then perhaps `?option=value`.
 * @throws PolycastError `invalid-configuration` `unknown-transport`
 */
export function fromUrl(url: URL): Transport {
  return serviceBus(readUrl(url));
}

/** @throws PolycastError `invalid-configuration` `unknown-transport`, which never repeat a secret */
export function readUrl(url: URL): ServiceBusOptions {
  if (url.protocol !== 'service-bus:') {
    throw new PolycastError('unknown-transport', `@polycast/service-bus does not handle ${url.protocol} URLs`);
  }
  if (url.hash !== '') throw refuse('a Service Bus URL cannot have a fragment; write # in a key as %23');
  const isHierarchical = url.href.startsWith('service-bus://');
  // A key is base64, which has no question mark.
  const { options, emulator } = parametersOf(url.searchParams, isHierarchical);
  if (!isHierarchical) {
    // As it is, since a signature in it is percent-encoded itself; unless all of it is, as configuration files put in a variable.
    const text = url.pathname.includes('=') ? url.pathname : decode(url.pathname);
    return { ...options, connectionString: text };
  }
  if (url.hostname === '') throw refuse('the URL has no host; write service-bus://KEYNAME:KEY@host');
  if (url.pathname !== '' && url.pathname !== '/') throw refuse('the URL has a path; use the option `topic`');
  const [name, key] = [decode(url.username), decode(url.password)];
  if (name === '' || key === '') throw refuse('the URL needs name and key: service-bus://KEYNAME:KEY@host');
  if (/[;]/.test(name + key)) throw refuse('name and key cannot contain a semicolon');
  const connectionString = `Endpoint=sb://${url.host}/;SharedAccessKeyName=${name};SharedAccessKey=${key}`;
  return {
    ...options,
    connectionString: emulator ? `${connectionString};UseDevelopmentEmulator=true` : connectionString,
  };
}

/** Of a URL that names no place, only the parameters. @throws PolycastError `invalid-configuration` */
export function readParameters(url: URL): Partial<ServiceBusOptions> {
  return parametersOf(url.searchParams, true).options;
}

function parametersOf(
  parameters: URLSearchParams,
  takesEmulator: boolean,
): { options: Partial<ServiceBusOptions>; emulator: boolean } {
  const options: Partial<ServiceBusOptions> = {};
  let emulator = false;
  for (const [name, value] of parameters) {
    if (name === EMULATOR && takesEmulator) {
      if (value !== 'true' && value !== 'false') throw refuse(`${EMULATOR} must be true or false`);
      emulator = value === 'true';
      continue;
    }
    const read = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
    if (read === undefined) {
      const known = [...Object.keys(PARAMETERS), ...(takesEmulator ? [EMULATOR] : [])];
      throw refuse(`unknown parameter "${name.slice(0, 40)}"${suggestion(name, known)}`);
    }
    Object.assign(options, read(value, name));
  }
  return { options, emulator };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('name or key of the URL is not correctly percent-encoded');
  }
}

function refuse(message: string): PolycastError {
  return new PolycastError('invalid-configuration', message);
}
