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
/** @default for `maxMessageBytes`: 256 KiB, as Basic and Standard have it */
export const DEFAULT_MAX_MESSAGE_BYTES = 262_144;
/** @default for `duplicateDetectionMs`: ten minutes, the service's own */
export const DEFAULT_DUPLICATE_DETECTION_MS = 600_000;
/** @default for `prefetch`, in messages */
export const DEFAULT_PREFETCH = 256;

/** Where the namespace is, and how it is used. A connection string, or a namespace with a credential. */
export interface ServiceBusOptions {
  /** `Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…[;UseDevelopmentEmulator=true]`. */
  readonly connectionString?: string;
  /** `<name>.servicebus.windows.net`, with {@link credential}. */
  readonly fullyQualifiedNamespace?: string;
  /** Any credential of Entra ID, such as those of `@azure/identity`. */
  readonly credential?: TokenCredential;
  /**
   * A ready client, instead of a connection string or a credential. It is used by its public interface alone and never closed; its own options say how it
   * connects and retries.
   */
  readonly client?: ServiceBusClient;
  /** With {@link client}: creates what is missing. Left out, nothing is created, as with `create: false`. */
  readonly administrationClient?: ServiceBusAdministrationClient;
  /**
   * All broadcasters over one transport object share its connection, which closes with the last of them. `false`: each has its own, as
   * loads need that one connection cannot carry. A ready {@link client} is shared in any case. @default true
   */
  readonly shareConnection?: boolean;
  /** Speak AMQP over WebSockets, on port 443. Node has none of its own that fits: give `ws`, and a proxy agent if need be. */
  readonly webSocketOptions?: WebSocketOptions;
  /** An address to connect to instead of the namespace's, as private links and gateways need it. */
  readonly customEndpointAddress?: string;
  /**
   * Where the administration API answers.
   * @default the namespace's own address; with UseDevelopmentEmulator, `http://` and the host and port of the endpoint
   */
  readonly administrationUrl?: string | URL;
  /** More of the SDK's options for administration: `proxyOptions`, `tlsOptions`, `userAgentOptions`. */
  readonly administrationOptions?: ServiceBusAdministrationClientOptions;
  /**
   * `false`: use topics, subscriptions and rules as they are. `true`: create what is missing, which takes Manage rights; without
   * these, as `false`. `'subscriptions'`: create subscriptions and rules, and no topic: for who only reads. @default true
   */
  readonly create?: boolean | 'subscriptions';
  /** Goes before the name of every topic. @default '' */
  readonly prefix?: string;
  /** How long the service knows a message id again. 0: it does not look. Topics that exist must agree. @default {@link DEFAULT_DUPLICATE_DETECTION_MS} */
  readonly duplicateDetectionMs?: number;
  /** Largest message that the namespace takes, in bytes. Premium takes 1,048,576, or more as configured. @default {@link DEFAULT_MAX_MESSAGE_BYTES} */
  readonly maxMessageBytes?: number;
  /** Most messages fetched ahead of a subscription's handlers. @default {@link DEFAULT_PREFETCH} */
  readonly prefetch?: number;
  /** Longest wait for a connection, with all that must be created. @default {@link DEFAULT_CONNECT_TIMEOUT_MS} */
  readonly connectTimeoutMs?: number;
  /** Longest wait for the answer to a send, a settlement or a management call. @default {@link DEFAULT_OPERATION_TIMEOUT_MS} */
  readonly operationTimeoutMs?: number;
  /** After so long without an answer `stalled` is signalled. 0: never. @default {@link DEFAULT_STALLED_AFTER_MS} */
  readonly stalledAfterMs?: number;
  /** A connection that is silent for so long is ended, and made again. The service is asked to say something twice as often. @default {@link DEFAULT_KEEP_ALIVE_MS} */
  readonly keepAliveMs?: number;
  /** Longest wait for each step of a goodbye: the service's own expiry does what is left. @default {@link DEFAULT_CLOSE_TIMEOUT_MS} */
  readonly closeTimeoutMs?: number;
}
