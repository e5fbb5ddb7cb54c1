import type {
  ServiceBusAdministrationClient,
  ServiceBusAdministrationClientOptions,
  ServiceBusClient,
  TokenCredential,
  WebSocketOptions,
} from '@azure/service-bus';

/** @default for `connectTimeoutMs` */
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
/** @default for `operationTimeoutMs` */
export const DEFAULT_OPERATION_TIMEOUT_MS = 30_000;
/** @default for `stalledAfterMs` */
export const DEFAULT_STALLED_AFTER_MS = 5_000;
/** @default for `keepAliveMs` */
export const DEFAULT_KEEP_ALIVE_MS = 60_000;
/** @default for `closeTimeoutMs` */
export const DEFAULT_CLOSE_TIMEOUT_MS = 2_000;
/** @default for `maxMessageBytes`: 256 KiB, the limit of Basic and Standard */
export const DEFAULT_MAX_MESSAGE_BYTES = 262_144;
/** @default for `duplicateDetectionMs`: 10 minutes, the default of the service */
export const DEFAULT_DUPLICATE_DETECTION_MS = 600_000;
/** @default for `prefetch`, in messages */
export const DEFAULT_PREFETCH = 256;

/** Options of the Service Bus transport. Give a connection string, a namespace with a credential, or a client. Invalid values are rejected with `invalid-configuration`. */
export interface ServiceBusOptions {
  /** `Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…[;UseDevelopmentEmulator=true]`. */
  readonly connectionString?: string;
  /** `<name>.servicebus.windows.net`, with {@link credential}. */
  readonly fullyQualifiedNamespace?: string;
  /** Any credential of Entra ID, such as those of `@azure/identity`. */
  readonly credential?: TokenCredential;
  /**
   * An existing client, instead of a connection string or a credential. Only its public interface is used, it is never closed, and its own
   * options determine how it connects and retries.
   */
  readonly client?: ServiceBusClient;
  /** With {@link client}: creates missing entities. Omitted: nothing is created, as with `create: false`. */
  readonly administrationClient?: ServiceBusAdministrationClient;
  /**
   * All broadcasters over one transport object share its connection, which closes with the last of them. `false`: each has its own, for
   * loads that exceed one connection. An existing {@link client} is always shared. @default true
   */
  readonly shareConnection?: boolean;
  /** Use AMQP over WebSockets, on port 443. Node has no suitable WebSocket: pass `ws`, and a proxy agent if needed. @default none: AMQP over TCP */
  readonly webSocketOptions?: WebSocketOptions;
  /** An address to connect to instead of the namespace's, for private links and gateways. @default none */
  readonly customEndpointAddress?: string;
  /**
   * URL of the administration API.
   * @default the namespace's own address; with UseDevelopmentEmulator, `http://` and the host and port of the endpoint
   */
  readonly administrationUrl?: string | URL;
  /** Further options of the SDK's administration client: `proxyOptions`, `tlsOptions`, `userAgentOptions`. */
  readonly administrationOptions?: ServiceBusAdministrationClientOptions;
  /**
   * `false`: use existing topics, subscriptions and rules. `true`: create missing ones, which requires Manage rights; without them, like
   * `false`. `'subscriptions'`: create subscriptions and rules, but no topic, for subscribers. @default true
   */
  readonly create?: boolean | 'subscriptions';
  /** Prefix of every topic name. @default '' */
  readonly prefix?: string;
  /** Window of the service's duplicate detection, ms. 0: none. Existing topics must have the same setting. @default {@link DEFAULT_DUPLICATE_DETECTION_MS} */
  readonly duplicateDetectionMs?: number;
  /** Maximum message size of the namespace, bytes. Premium: 1,048,576, or more if configured. Larger ones are rejected with `payload-too-large`, or chunked. @default {@link DEFAULT_MAX_MESSAGE_BYTES} */
  readonly maxMessageBytes?: number;
  /** Maximum number of messages fetched in advance per subscription. @default {@link DEFAULT_PREFETCH} */
  readonly prefetch?: number;
  /** Maximum wait for a connection, including the creation of entities, ms. Then `unreachable`. @default {@link DEFAULT_CONNECT_TIMEOUT_MS} */
  readonly connectTimeoutMs?: number;
  /** Maximum wait for the answer to a send, a settlement or a management call, ms. Then `timeout`. @default {@link DEFAULT_OPERATION_TIMEOUT_MS} */
  readonly operationTimeoutMs?: number;
  /** Time without an answer after which `stalled` is signalled, ms. 0: never. @default {@link DEFAULT_STALLED_AFTER_MS} */
  readonly stalledAfterMs?: number;
  /** A connection without incoming traffic for this long, ms, is closed and reopened. The service is asked for traffic twice as often. @default {@link DEFAULT_KEEP_ALIVE_MS} */
  readonly keepAliveMs?: number;
  /** Maximum wait for each step of closing, ms. The service removes the rest when it expires. @default {@link DEFAULT_CLOSE_TIMEOUT_MS} */
  readonly closeTimeoutMs?: number;
}
