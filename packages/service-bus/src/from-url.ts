import {
  option,
  PolycastError,
  percentDecoded,
  readUrlOptions,
  invalidConfiguration as refuse,
  type Transport,
} from '@polycast/core/adapter';
import { serviceBus } from './adapter.ts';
import type { ServiceBusOptions } from './options.ts';
import { SERVICE_BUS_OPTIONS } from './settings.ts';

/** `emulator` says that the endpoint is one: plain AMQP and HTTP. A connection string says that itself. */
const PARAMETERS = { ...SERVICE_BUS_OPTIONS, emulator: option.boolean({ inUrl: true }) };

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
  if (!url.href.startsWith('service-bus://')) {
    // A key is base64, which has no question mark.
    const options = readUrlOptions(url, SERVICE_BUS_OPTIONS);
    // As it is, since a signature in it is percent-encoded itself; unless all of it is, as configuration files put in a variable.
    const text = url.pathname.includes('=') ? url.pathname : percentDecoded(url.pathname, 'connection string');
    return { ...options, connectionString: text };
  }
  const { emulator = false, ...options } = readUrlOptions(url, PARAMETERS);
  if (url.hostname === '') throw refuse('the URL has no host; write service-bus://KEYNAME:KEY@host');
  if (url.pathname !== '' && url.pathname !== '/') throw refuse('the URL has a path; use the option `topic`');
  const [name, key] = [percentDecoded(url.username, 'key name'), percentDecoded(url.password, 'key')];
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
  const { emulator, ...options } = readUrlOptions(url, PARAMETERS);
  return options;
}
