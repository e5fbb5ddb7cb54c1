import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AccessRule, ALL_RIGHTS, Authority } from '../auth/index.ts';
import { type Listener, openListener, TestAuthority } from '../listener/index.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { type AmqpServer, amqpOverWebSockets, detectAmqp, serveAmqp } from './amqp/index.ts';
import type { Broker } from './broker/api.ts';
import { createBroker } from './broker/index.ts';
import { TIERS } from './broker/limits.ts';
import { declareEntities, readConfig } from './config-file/index.ts';
import { MAX_HEADER_BYTES, serveNamespace } from './http/index.ts';
import type { ServiceBus, ServiceBusCounts, ServiceBusOptions } from './options.ts';
import { JWT_RULES } from './token-rules.ts';

/** The default policy of every namespace. */
const ROOT_RULE = 'RootManageSharedAccessKey';
const KEY_BYTES = 32;
/** Turns of the event loop that clients have to answer when the service restarts. */
const FAREWELL_TURNS = 100;

/**
 * Starts a Service Bus namespace in this process: AMQP (plain, TLS, WebSockets), the administration API and HTTP send and
 * receive, all on one port. For development and tests; where it differs from the cloud is in DEVIATIONS.md.
 * @throws TypeError for options that make no sense; ConfigFileError for entities that cannot be; an error of node:net when the port cannot be had
 */
export async function startServiceBus(options: ServiceBusOptions = {}): Promise<ServiceBus> {
  const { host = '127.0.0.1', port = 0, tier = 'standard', config, clock = systemClock } = options;
  const accessRules = options.accessRules ?? [rootRule()];
  if (!Object.hasOwn(TIERS, tier)) throw new TypeError(`tier must be one of ${Object.keys(TIERS).join(', ')}`);
  if (!Array.isArray(accessRules)) throw new TypeError('accessRules must be a list');
  if (typeof clock?.now !== 'function') throw new TypeError('clock must have a method now()');
  const broker = createBroker({ tier, clock, onFault: warn });
  try {
    if (config !== undefined) declareEntities(broker.entities, (await readConfig(config)).entities);
    const authority = new Authority(
      { namespace: accessRules, entity: (path) => rulesOf(broker, path) },
      { jwtRules: JWT_RULES, ...(options.jwt === undefined ? {} : { jwt: options.jwt }) },
    );
    const service = new LocalServiceBus({ host, broker, authority, clock, rule: accessRules[0] });
    await service.listen(port);
    return service;
  } catch (error) {
    broker.close();
    throw error;
  }
}

interface Parts {
  readonly host: string;
  readonly broker: Broker;
  readonly authority: Authority;
  readonly clock: Clock;
  /** The policy used in the connection strings. */
  readonly rule: AccessRule | undefined;
}

class LocalServiceBus implements ServiceBus {
  readonly broker: Broker;
  readonly #host: string;
  readonly #rule: AccessRule | undefined;
  readonly #amqp: AmqpServer;
  readonly #http: ReturnType<typeof serveNamespace>;
  readonly #tls: TestAuthority;
  #listener: Listener | undefined;
  #port = 0;
  #stopped: Promise<void> | undefined;

  constructor({ host, broker, authority, clock, rule }: Parts) {
    this.#host = host;
    this.broker = broker;
    this.#rule = rule;
    this.#amqp = serveAmqp({ broker, authority, clock });
    this.#http = serveNamespace({ broker, authority });
    this.#tls = new TestAuthority([host]);
  }

  async listen(port: number): Promise<void> {
    this.#listener = await openListener({
      host: this.#host,
      port,
      tls: this.#tls,
      http: this.#http,
      maxHeaderBytes: MAX_HEADER_BYTES,
      protocols: [
        {
          detect: detectAmqp,
          accept: (stream, client) => this.#amqp.accept(stream, { ...client, webSocket: false }),
        },
      ],
      webSockets: [amqpOverWebSockets((stream, client) => this.#amqp.accept(stream, { ...client, webSocket: true }))],
    });
    this.#port = this.#listener.port;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `service-bus:${this.connectionString}`;
  }

  get connectionString(): string {
    return `${this.tlsConnectionString};UseDevelopmentEmulator=true`;
  }

  get tlsConnectionString(): string {
    // Who listens everywhere is reached on this machine.
    const host = /^(0\.0\.0\.0|::)$/.test(this.#host) ? 'localhost' : this.#host;
    const endpoint = `Endpoint=sb://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
    if (this.#rule === undefined) return endpoint;
    return `${endpoint};SharedAccessKeyName=${this.#rule.name};SharedAccessKey=${this.#rule.key}`;
  }

  caFile(): Promise<string> {
    return this.#tls.caFile();
  }

  counts(): ServiceBusCounts {
    const { entities, active, deadLettered, scheduled } = this.broker.counts();
    return {
      entities,
      activeMessages: active,
      deadLettered,
      scheduled,
      connections: this.#listener?.connections ?? 0,
      billedOperations: this.broker.billing.total,
      billed: this.broker.billing.byEntity(),
    };
  }

  async restart(): Promise<void> {
    await this.start();
    this.#amqp.closeAll();
    // What is left to say gets its turn to go out; who does not answer is not waited for.
    for (let turn = 0; turn < FAREWELL_TURNS && this.#amqp.connections > 0; turn += 1) await nextTurn();
    await this.cut();
  }

  async kill(): Promise<void> {
    await this.#listener?.close();
    this.#listener = undefined;
  }

  async start(): Promise<void> {
    if (this.#stopped !== undefined) throw new Error('the service has been stopped');
    if (this.#listener === undefined) await this.listen(this.#port);
  }

  async freeze(): Promise<void> {
    this.#listener?.freeze();
  }

  async thaw(): Promise<void> {
    this.#listener?.thaw();
  }

  async cut(): Promise<void> {
    this.#listener?.cut();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #end(): Promise<void> {
    this.#amqp.stop();
    await this.kill();
    await this.#tls.close();
    this.broker.close();
  }
}

/** A defect of ours costs what it happened to, and is reported; it does not take the process down. */
function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}

function rootRule(): AccessRule {
  return { name: ROOT_RULE, key: randomBytes(KEY_BYTES).toString('base64'), rights: ALL_RIGHTS };
}

/** The policies of one queue or topic. */
function rulesOf({ entities }: Broker, path: string): readonly AccessRule[] {
  const entity = entities.queue(path) ?? entities.topic(path);
  return (entity?.description.authorizationRules ?? []).map(({ name, primaryKey, secondaryKey, rights }) => ({
    name,
    key: primaryKey,
    secondaryKey,
    rights,
  }));
}
