import type {
  ServiceBusAdministrationClient,
  ServiceBusAdministrationClientOptions,
  ServiceBusClient,
  TokenCredential,
  WebSocketOptions,
} from '@azure/service-bus';
import {
  checkOptions,
  type OptionTable,
  option,
  invalidConfiguration as refuse,
  type SettingsOf,
} from '@polycast/core/adapter';
import { type Endpoint, hostOf, readConnectionString } from './connection-string.ts';
import type { ServiceBusOptions } from './options.ts';
import * as defaults from './options.ts';
import { sdkDifference } from './sdk-internals/shape.ts';

/** A day. Timers take 24 days, and some are set to more than is asked for. */
const MAX_WAIT_MS = 86_400_000;

/** What each option may be. */
export const SERVICE_BUS_OPTIONS = {
  // What is wrong with an empty one `readConnectionString` says.
  connectionString: option.string({ pattern: /^/, expected: 'a string' }),
  fullyQualifiedNamespace: option.string(),
  credential: having<TokenCredential>('a TokenCredential', 'getToken'),
  client: option.custom<ServiceBusClient>({
    expected: 'a ServiceBusClient',
    is: (value) => {
      const { createSender, fullyQualifiedNamespace } = value as ServiceBusClient;
      return typeof createSender === 'function' && typeof fullyQualifiedNamespace === 'string';
    },
  }),
  administrationClient: having<ServiceBusAdministrationClient>('a ServiceBusAdministrationClient', 'createTopic'),
  shareConnection: option.boolean({ default: true, inUrl: true }),
  webSocketOptions: option.object<WebSocketOptions>(),
  customEndpointAddress: option.string({ inUrl: true }),
  administrationUrl: option.custom<string | URL>({
    expected: 'http://… or https://…',
    is: (value) =>
      (typeof value === 'string' || value instanceof URL) &&
      URL.canParse(`${value}`) &&
      /^https?:$/.test(new URL(value).protocol),
    read: (text) => text,
  }),
  administrationOptions: option.object<ServiceBusAdministrationClientOptions>(),
  create: option.oneOf([true, false, 'subscriptions'], { inUrl: true }),
  prefix: option.string({
    pattern: /^(?!.*\/\/)([a-z0-9][a-z0-9._/-]{0,49})?$/,
    expected: '1-50 of the characters a-z 0-9 . _ / -, starting with a letter or digit, without //',
    default: '',
    inUrl: true,
  }),
  duplicateDetectionMs: option.integer({
    min: 20_000,
    max: 604_800_000,
    orZero: true,
    unit: 'ms',
    default: defaults.DEFAULT_DUPLICATE_DETECTION_MS,
    inUrl: true,
  }),
  maxMessageBytes: option.integer({
    min: 16_384,
    max: 104_857_600,
    unit: 'bytes',
    default: defaults.DEFAULT_MAX_MESSAGE_BYTES,
    inUrl: true,
  }),
  prefetch: option.integer({
    min: 1,
    max: 2_000,
    unit: 'messages',
    default: defaults.DEFAULT_PREFETCH,
    inUrl: true,
  }),
  connectTimeoutMs: wait(1, MAX_WAIT_MS, defaults.DEFAULT_CONNECT_TIMEOUT_MS),
  operationTimeoutMs: wait(1, MAX_WAIT_MS, defaults.DEFAULT_OPERATION_TIMEOUT_MS),
  stalledAfterMs: wait(0, MAX_WAIT_MS, defaults.DEFAULT_STALLED_AFTER_MS),
  keepAliveMs: wait(1_000, 600_000, defaults.DEFAULT_KEEP_ALIVE_MS),
  closeTimeoutMs: wait(1, MAX_WAIT_MS, defaults.DEFAULT_CLOSE_TIMEOUT_MS),
} satisfies OptionTable<ServiceBusOptions>;

function wait(min: number, max: number, fallback: number) {
  return option.duration({ min, max, default: fallback, inUrl: true });
}

function having<Value>(expected: string, method: keyof Value) {
  return option.custom<Value>({ expected, is: (value) => typeof (value as Value)[method] === 'function' });
}

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

type Given = SettingsOf<typeof SERVICE_BUS_OPTIONS>;

/** Options with every default filled in. */
export interface Settings
  extends Omit<
    Given,
    | 'connectionString'
    | 'fullyQualifiedNamespace'
    | 'credential'
    | 'client'
    | 'administrationClient'
    | 'administrationUrl'
    | 'create'
  > {
  readonly access: Access;
  /** Why the SDK is used by its public face alone; undefined where it is not. */
  readonly publicBecause: string | undefined;
  readonly endpoint: Endpoint;
  /** Where AMQP is spoken, if that is an IPv6 address, which the SDK misreads. */
  readonly ipv6: Ipv6Address | undefined;
  /** Where administration requests go instead of the namespace; undefined: there. */
  readonly administrationUrl: URL | undefined;
  readonly create: boolean | 'subscriptions';
}

/** @throws PolycastError `invalid-configuration`, which never repeats a secret */
export function settingsFrom(options: ServiceBusOptions): Settings {
  const given = checkOptions('serviceBus', SERVICE_BUS_OPTIONS, options);
  const access = accessOf(given);
  const endpoint =
    'connectionString' in access
      ? readConnectionString(access.connectionString)
      : {
          ...hostOf('client' in access ? access.client.fullyQualifiedNamespace : access.fullyQualifiedNamespace),
          isEmulator: false,
        };
  const { customEndpointAddress } = given;
  const publicBecause = 'client' in access ? 'the client was given' : sdkDifference();
  const ipv6 = ipv6Of(customEndpointAddress === undefined ? endpoint : hostOf(customEndpointAddress), {
    isPlain: endpoint.isEmulator,
    isWebSocket: given.webSocketOptions !== undefined,
  });
  if (
    !('client' in access) &&
    ipv6 !== undefined &&
    publicBecause !== undefined &&
    given.webSocketOptions === undefined
  ) {
    throw refuse(
      `the installed @azure/service-bus cannot connect to an IPv6 address (${publicBecause}): give a host name`,
    );
  }
  checkWebSocketOptions(given.webSocketOptions, endpoint);
  return {
    ...given,
    access,
    publicBecause,
    endpoint,
    ipv6,
    administrationUrl: administrationUrl(given.administrationUrl, endpoint),
    create: given.create ?? true,
  };
}

/** Where it is, for people and for comparison; never with a secret. */
export function locationOf({ endpoint: { host, port }, prefix }: Settings): string {
  return `service-bus://${host}${port === undefined ? '' : `:${port}`}${prefix === '' ? '' : `?prefix=${prefix}`}`;
}

function ipv6Of(
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

function accessOf(options: Given): Access {
  const { connectionString, fullyQualifiedNamespace, credential, client, administrationClient } = options;
  if (client !== undefined) {
    const other = BESIDE_CLIENT.find((name) => options[name] !== undefined);
    if (other !== undefined) throw refuse(`give either client or ${other}, not both`);
    if (options.create && administrationClient === undefined) throw refuse('create needs administrationClient');
    return { client, administrationClient };
  }
  if (administrationClient !== undefined) throw refuse('administrationClient needs client');
  if (connectionString !== undefined) {
    if (fullyQualifiedNamespace !== undefined || credential !== undefined) {
      throw refuse('give either connectionString or fullyQualifiedNamespace with credential, not both');
    }
    return { connectionString };
  }
  if (fullyQualifiedNamespace === undefined || credential === undefined) {
    throw refuse('give connectionString, or fullyQualifiedNamespace with credential (a TokenCredential)');
  }
  return { fullyQualifiedNamespace, credential };
}

function checkWebSocketOptions(options: WebSocketOptions | undefined, { isEmulator }: Endpoint): void {
  if (options === undefined) return;
  if (isEmulator) throw refuse('the SDK supports WebSockets only over TLS: omit UseDevelopmentEmulator');
  if (options.webSocket === undefined && (globalThis as { WebSocket?: unknown }).WebSocket === undefined) {
    throw refuse('webSocketOptions needs webSocket, a constructor such as that of the package ws');
  }
}

function administrationUrl(given: string | URL | undefined, endpoint: Endpoint): URL | undefined {
  if (given === undefined) {
    // SDK 7.9.5 says https even to an emulator, which has no certificate.
    return endpoint.isEmulator ? new URL(`http://${endpoint.host}:${endpoint.port ?? 5672}`) : undefined;
  }
  const url = new URL(given);
  if (url.protocol === 'http:' && !endpoint.isEmulator) throw refuse('tokens are sent over http: only to an emulator');
  return url;
}
