import type {
  ServiceBusAdministrationClient,
  ServiceBusAdministrationClientOptions,
  ServiceBusClient,
  TokenCredential,
  WebSocketOptions,
} from '@azure/service-bus';
import { type OptionNames, PolycastError, unknownOption } from '@polycast/core/adapter';
import { type Endpoint, hostOf, readConnectionString } from './connection-string.ts';
import type { ServiceBusOptions } from './options.ts';
import * as defaults from './options.ts';
import { sdkDifference } from './sdk-internals/shape.ts';

/** How to be let in. */
export type Access =
  | { readonly connectionString: string }
  | { readonly fullyQualifiedNamespace: string; readonly credential: TokenCredential }
  | GivenClients;

/** Clients of the user's own, which are never closed. */
export interface GivenClients {
  readonly client: ServiceBusClient;
  readonly administrationClient: ServiceBusAdministrationClient | undefined;
}

export interface Ipv6Address {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Options with every default filled in. */
export interface Settings {
  readonly access: Access;
  /** Why the SDK is used by its public face alone; undefined where it is not. */
  readonly publicBecause: string | undefined;
  readonly shareConnection: boolean;
  readonly endpoint: Endpoint;
  readonly webSocketOptions: WebSocketOptions | undefined;
  readonly customEndpointAddress: string | undefined;
  /** Where AMQP is spoken, if that is an IPv6 address, which the SDK misreads. */
  readonly ipv6: Ipv6Address | undefined;
  /** Where administration requests go instead of the namespace; undefined: there. */
  readonly administrationUrl: URL | undefined;
  readonly administrationOptions: ServiceBusAdministrationClientOptions | undefined;
  readonly create: boolean | 'subscriptions';
  readonly prefix: string;
  readonly duplicateDetectionMs: number;
  readonly maxMessageBytes: number;
  readonly prefetch: number;
  readonly connectTimeoutMs: number;
  readonly operationTimeoutMs: number;
  readonly stalledAfterMs: number;
  readonly keepAliveMs: number;
  readonly closeTimeoutMs: number;
}

/** A day. Timers take 24 days; a longer one would go off at once. */
const MAX_WAIT_MS = 86_400_000;

const SERVICE_BUS_OPTIONS: OptionNames<ServiceBusOptions> = {
  connectionString: 1,
  fullyQualifiedNamespace: 1,
  credential: 1,
  client: 1,
  administrationClient: 1,
  shareConnection: 1,
  webSocketOptions: 1,
  customEndpointAddress: 1,
  administrationUrl: 1,
  administrationOptions: 1,
  create: 1,
  prefix: 1,
  duplicateDetectionMs: 1,
  maxMessageBytes: 1,
  prefetch: 1,
  connectTimeoutMs: 1,
  operationTimeoutMs: 1,
  stalledAfterMs: 1,
  keepAliveMs: 1,
  closeTimeoutMs: 1,
};

/** @throws PolycastError `invalid-configuration`, which never repeats a secret */
export function settingsFrom(options: ServiceBusOptions): Settings {
  if (typeof options !== 'object' || options === null) throw refuse('the options must be an object');
  const unknown = unknownOption(options, SERVICE_BUS_OPTIONS);
  if (unknown !== undefined) throw refuse(unknown);
  const access = accessOf(options);
  const endpoint =
    'connectionString' in access
      ? readConnectionString(access.connectionString)
      : {
          ...hostOf('client' in access ? access.client.fullyQualifiedNamespace : access.fullyQualifiedNamespace),
          isEmulator: false,
        };
  const { customEndpointAddress, administrationOptions } = options;
  if (customEndpointAddress !== undefined && typeof customEndpointAddress !== 'string') {
    throw refuse('customEndpointAddress must be a string');
  }
  if (
    administrationOptions !== undefined &&
    (typeof administrationOptions !== 'object' || administrationOptions === null)
  ) {
    throw refuse('administrationOptions must be an object');
  }
  const publicBecause = 'client' in access ? 'the client was given' : sdkDifference();
  const address = ipv6(customEndpointAddress === undefined ? endpoint : hostOf(customEndpointAddress), {
    isPlain: endpoint.isEmulator,
    isWebSocket: options.webSocketOptions !== undefined,
  });
  if (
    !('client' in access) &&
    address !== undefined &&
    publicBecause !== undefined &&
    options.webSocketOptions === undefined
  ) {
    throw refuse(
      `the installed @azure/service-bus cannot connect to an IPv6 address (${publicBecause}): give a host name`,
    );
  }
  return {
    access,
    publicBecause,
    shareConnection: oneOf('shareConnection', options.shareConnection ?? true, [true, false]),
    endpoint,
    webSocketOptions: webSocketOptions(options.webSocketOptions, endpoint),
    customEndpointAddress,
    ipv6: address,
    administrationUrl: administrationUrl(options.administrationUrl, endpoint),
    administrationOptions,
    create: oneOf('create', options.create ?? true, [true, false, 'subscriptions']),
    prefix: prefix(options.prefix ?? ''),
    duplicateDetectionMs: duplicateDetection(options.duplicateDetectionMs ?? defaults.DEFAULT_DUPLICATE_DETECTION_MS),
    maxMessageBytes: whole(
      'maxMessageBytes',
      options.maxMessageBytes ?? defaults.DEFAULT_MAX_MESSAGE_BYTES,
      16_384,
      104_857_600,
    ),
    prefetch: whole('prefetch', options.prefetch ?? defaults.DEFAULT_PREFETCH, 1, 2_000),
    connectTimeoutMs: whole(
      'connectTimeoutMs',
      options.connectTimeoutMs ?? defaults.DEFAULT_CONNECT_TIMEOUT_MS,
      1,
      MAX_WAIT_MS,
    ),
    operationTimeoutMs: whole(
      'operationTimeoutMs',
      options.operationTimeoutMs ?? defaults.DEFAULT_OPERATION_TIMEOUT_MS,
      1,
      MAX_WAIT_MS,
    ),
    stalledAfterMs: whole(
      'stalledAfterMs',
      options.stalledAfterMs ?? defaults.DEFAULT_STALLED_AFTER_MS,
      0,
      MAX_WAIT_MS,
    ),
    keepAliveMs: whole('keepAliveMs', options.keepAliveMs ?? defaults.DEFAULT_KEEP_ALIVE_MS, 1_000, 600_000),
    closeTimeoutMs: whole(
      'closeTimeoutMs',
      options.closeTimeoutMs ?? defaults.DEFAULT_CLOSE_TIMEOUT_MS,
      1,
      MAX_WAIT_MS,
    ),
  };
}

/** Where it is, for people and for comparison; never with a secret. */
export function locationOf({ endpoint: { host, port }, prefix }: Settings): string {
  return `service-bus://${host}${port === undefined ? '' : `:${port}`}${prefix === '' ? '' : `?prefix=${prefix}`}`;
}

function ipv6(
  { host, port }: Pick<Endpoint, 'host' | 'port'>,
  { isPlain, isWebSocket }: { isPlain: boolean; isWebSocket: boolean },
): Ipv6Address | undefined {
  if (!host.startsWith('[')) return undefined;
  return { host: host.slice(1, -1), port: port ?? (isWebSocket ? 443 : isPlain ? 5672 : 5671) };
}

/** What a client that is given says by itself. */
const BESIDE_CLIENT = [
  'connectionString',
  'fullyQualifiedNamespace',
  'credential',
  'webSocketOptions',
  'customEndpointAddress',
  'administrationUrl',
  'administrationOptions',
] as const;

function accessOf(options: ServiceBusOptions): Access {
  const { connectionString, fullyQualifiedNamespace, credential, client, administrationClient } = options;
  if (client !== undefined) {
    const other = BESIDE_CLIENT.find((name) => options[name] !== undefined);
    if (other !== undefined) throw refuse(`give either client or ${other}, not both`);
    if (typeof client.createSender !== 'function' || typeof client.fullyQualifiedNamespace !== 'string') {
      throw refuse('client must be a ServiceBusClient');
    }
    if (administrationClient !== undefined && typeof administrationClient.createTopic !== 'function') {
      throw refuse('administrationClient must be a ServiceBusAdministrationClient');
    }
    if (options.create && administrationClient === undefined) throw refuse('create needs administrationClient');
    return { client, administrationClient };
  }
  if (administrationClient !== undefined) throw refuse('administrationClient needs client');
  if (connectionString !== undefined) {
    if (fullyQualifiedNamespace !== undefined || credential !== undefined) {
      throw refuse('give either connectionString or fullyQualifiedNamespace with credential, not both');
    }
    if (typeof connectionString !== 'string') throw refuse('connectionString must be a string');
    return { connectionString };
  }
  if (typeof fullyQualifiedNamespace !== 'string' || typeof credential?.getToken !== 'function') {
    throw refuse('give connectionString, or fullyQualifiedNamespace with credential (a TokenCredential)');
  }
  return { fullyQualifiedNamespace, credential };
}

function webSocketOptions(
  options: WebSocketOptions | undefined,
  { isEmulator }: Endpoint,
): WebSocketOptions | undefined {
  if (options === undefined) return undefined;
  if (isEmulator) throw refuse('the SDK supports WebSockets only over TLS: omit UseDevelopmentEmulator');
  if (options.webSocket === undefined && (globalThis as { WebSocket?: unknown }).WebSocket === undefined) {
    throw refuse('webSocketOptions needs webSocket, a constructor such as that of the package ws');
  }
  return options;
}

function administrationUrl(given: string | URL | undefined, endpoint: Endpoint): URL | undefined {
  if (given === undefined) {
    // SDK 7.9.5 says https even to an emulator, which has no certificate.
    return endpoint.isEmulator ? new URL(`http://${endpoint.host}:${endpoint.port ?? 5672}`) : undefined;
  }
  const isGiven = typeof given === 'string' || given instanceof URL;
  const url = isGiven && URL.canParse(`${given}`) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw refuse('administrationUrl must be http://… or https://…');
  if (url.protocol === 'http:' && !endpoint.isEmulator) throw refuse('tokens are sent over http: only to an emulator');
  return url;
}

function duplicateDetection(value: unknown): number {
  if (value === 0) return 0;
  return whole('duplicateDetectionMs', value, 20_000, 604_800_000, ', or 0');
}

function whole(name: string, value: unknown, least: number, most = Number.MAX_SAFE_INTEGER, or = ''): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least}-${most}${or}`;
  throw refuse(`${name} must be a whole number, ${range}`);
}

function prefix(value: unknown): string {
  if (value === '') return '';
  if (typeof value === 'string' && /^[a-z0-9][a-z0-9._/-]{0,49}$/.test(value) && !value.includes('//')) return value;
  throw refuse('prefix must be 1-50 of the characters a-z 0-9 . _ / - and start with a letter or digit');
}

function oneOf<const Value>(name: string, value: Value, choices: readonly Value[]): Value {
  if (choices.includes(value)) return value;
  throw refuse(`${name} must be one of ${choices.join(', ')}`);
}

function refuse(message: string): PolycastError {
  return new PolycastError('invalid-configuration', message);
}
