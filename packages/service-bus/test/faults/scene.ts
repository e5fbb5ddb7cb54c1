import { inspect } from 'node:util';
import {
  type Broadcaster,
  connect,
  type Participant,
  PolycastError,
  type Signal,
  type SignalKind,
} from '@polycast/core';
import {
  type ServiceBus,
  type ServiceBusOptions as ServiceOptions,
  startServiceBus,
} from '@polycast/local-services/service-bus';
import { type ServiceBusOptions, serviceBus } from '@polycast/service-bus';
import { expect } from 'vitest';
import { FaultyProxy } from './faulty-proxy.ts';

/** Everything that is waited for comes much sooner, but on a machine that others use as well. */
const PATIENCE_MS = 15_000;
/** Silence is noticed soon, though not as soon as a machine with other work may keep still. */
export const ALERT = {
  connectTimeoutMs: 10_000,
  operationTimeoutMs: 2_500,
  stalledAfterMs: 500,
  keepAliveMs: 2_500,
  closeTimeoutMs: 500,
} as const satisfies ServiceBusOptions;

/** One participant, and what it said about itself. */
export interface Party {
  readonly cast: Broadcaster;
  readonly signals: readonly Signal[];
  of<Kind extends SignalKind>(kind: Kind): readonly (Signal & { kind: Kind })[];
}

export interface PartyOptions {
  readonly self: Participant;
  readonly topic?: string;
  readonly transport?: ServiceBusOptions;
  /** Past the proxy. */
  readonly direct?: boolean;
  readonly retry?: { readonly maxAttempts?: number; readonly baseMs?: number; readonly maxMs?: number };
}

let topics = 0;

/** A service, a proxy before it, and participants that reach it through the proxy. */
export class Scene {
  readonly service: ServiceBus;
  readonly proxy: FaultyProxy;
  readonly topic = `faults-${topics++}`;
  /** Whatever a user could have seen. */
  readonly #told: unknown[] = [];
  readonly #casts: Broadcaster[] = [];
  #ended = false;

  static async open(options: ServiceOptions = {}): Promise<Scene> {
    const service = await startServiceBus(options);
    return new Scene(service, await FaultyProxy.before(service.port));
  }

  private constructor(service: ServiceBus, proxy: FaultyProxy) {
    this.service = service;
    this.proxy = proxy;
  }

  get secrets(): readonly string[] {
    return [/SharedAccessKey=([^;]+)/.exec(this.service.connectionString)?.[1] ?? ''];
  }

  /** To the service, through the proxy. */
  get connectionString(): string {
    return this.service.connectionString.replace(`:${this.service.port};`, `:${this.proxy.port};`);
  }

  async join({ self, topic = this.topic, transport, direct = false, retry }: PartyOptions): Promise<Party> {
    const signals: Signal[] = [];
    const connectionString = direct ? this.service.connectionString : this.connectionString;
    const options = transport?.fullyQualifiedNamespace === undefined ? { connectionString } : {};
    const cast = await connect({
      topic,
      self,
      transport: serviceBus({ ...ALERT, ...options, ...transport }),
      ...(retry === undefined ? {} : { retry }),
      onSignal: (signal) => {
        signals.push(signal);
        this.#told.push(signal);
      },
    });
    this.#casts.push(cast);
    return {
      cast,
      signals,
      of: (kind) => signals.filter((signal) => signal.kind === kind) as never,
    };
  }

  /** The coded error of what must fail. */
  async refused(work: Promise<unknown>): Promise<PolycastError> {
    const error = await work.then(
      () => expect.fail('nothing failed'),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(PolycastError);
    this.#told.push(error);
    return error as PolycastError;
  }

  /** Copies of events that the service holds for subscribers of the topic, locked ones included. */
  get held(): number {
    return this.service.broker.entities.subscriptions(this.topic).reduce((sum, { counts }) => sum + counts.active, 0);
  }

  get deadLettered(): number {
    return this.service.counts().deadLettered;
  }

  get subscriptions(): readonly string[] {
    const { entities } = this.service.broker;
    return entities.topics().flatMap(({ path }) => entities.subscriptions(path).map(({ name }) => `${path}/${name}`));
  }

  /** Everybody leaves, and the service ends. Nothing may be left there, and no secret was told. */
  async end({ keeps = 0 } = {}): Promise<void> {
    await Promise.all(this.#casts.map((cast) => cast.close({ drainMs: 1_000 })));
    const left = this.subscriptions;
    await until('the connections are gone', () => this.proxy.connections === 0);
    await this.proxy.stop();
    await this.service.stop();
    this.#ended = true;
    expect(left.length, `left in the service: ${left.join()}`).toBe(keeps);
    const told = inspect(this.#told, { depth: 12, maxStringLength: Number.POSITIVE_INFINITY, showHidden: true });
    for (const secret of this.secrets) expect(told).not.toContain(secret);
    expect(told).not.toMatch(/sig=[\w%]|SharedAccessKey=[^*]|eyJ[\w-]{10,}\./);
  }

  /** For a test that failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.service.thaw();
    await Promise.all(this.#casts.map((cast) => cast.close({ drainMs: 0 })));
    await this.proxy.stop();
    await this.service.stop();
  }
}

/** Waits for a condition. @throws Error that names it */
export async function until(what: string, holds: () => unknown, timeoutMs = PATIENCE_MS): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A promise that a test resolves. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
