import type { AccessRule, JwtOptions } from '../auth/index.ts';
import type { BreakableService } from '../service.ts';
import type { Clock } from '../time/clock.ts';
import type { Broker } from './broker/api.ts';
import type { Tier } from './broker/limits.ts';
import type { OperationKind } from './broker/tariff.ts';

export interface ServiceBusOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0: a free one. @default 0 */
  readonly port?: number;
  /** @default 'standard' */
  readonly tier?: Tier;
  /** Entities to start with: path of a file in the format of the vendor emulator's `Config.json`, or its content. */
  readonly config?: string | object;
  /** Policies of the namespace. @default one named RootManageSharedAccessKey with all rights and a key made at start */
  readonly accessRules?: readonly AccessRule[];
  /** How tokens of Entra ID are checked. @default form, audience and times only: their signature cannot be checked without a cloud */
  readonly jwt?: JwtOptions;
  /** @default the machine's */
  readonly clock?: Clock;
}

export interface ServiceBusCounts {
  readonly entities: number;
  readonly activeMessages: number;
  readonly deadLettered: number;
  readonly scheduled: number;
  readonly connections: number;
  readonly billedOperations: number;
  /** Operations by entity path and kind. */
  readonly billed: ReadonlyMap<string, ReadonlyMap<OperationKind, number>>;
}

/**
 * A Service Bus namespace on this machine, for development and tests. Its messages live as long as the object. `restart` closes every
 * connection with `amqp:connection:forced`.
 */
export interface ServiceBus extends BreakableService {
  /**
   * For every client: `UseDevelopmentEmulator=true` makes messaging clients speak plain AMQP. The vendor's administration clients
   * speak HTTPS whatever it says: they must trust `caFile()`.
   */
  readonly connectionString: string;
  /** The same with AMQP over TLS: clients must trust `caFile()`. */
  readonly tlsConnectionString: string;
  /**
   * Path of the PEM file of the authority that signed the server's certificate: for `tlsOptions: { ca }` of a client in this
   * process, and for `NODE_EXTRA_CA_CERTS` (Node) or `REQUESTS_CA_BUNDLE` (Python) of others. Removed by `stop`.
   */
  caFile(): Promise<string>;
  counts(): ServiceBusCounts;
  /** The engine itself: entities and messages without a client. */
  readonly broker: Broker;
}
