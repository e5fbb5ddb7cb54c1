import { type CreateSubscriptionOptions, ServiceBusAdministrationClient } from '@azure/service-bus';
import { PolycastError } from '@polycast/core/adapter';
import { mapError } from './map-error.ts';
import type { PlannedRule } from './rules.ts';
import { signerOf } from './sdk-internals/signer.ts';
import type { Settings } from './settings.ts';
import {
  isDurablePresenceRule,
  isPresenceRule,
  type SourcePlan,
  type SubscriptionPlan,
} from './subscription-layout.ts';

type Policy = Parameters<ServiceBusAdministrationClient['pipeline']['addPolicy']>[0];
type Request = Parameters<Policy['sendRequest']>[0];
type Send = Parameters<Policy['sendRequest']>[1];

/** The service's own word for never. */
const NEVER = 'P10675199DT2H48M5.4775807S';
/** The least that Service Bus takes for a subscription that goes when it is idle. */
const AUTO_DELETE = 'PT5M';
const MIN_LOCK_MS = 5_000;
const MAX_LOCK_MS = 300_000;
/** The most: core counts attempts. */
const MAX_DELIVERY_COUNT = 2_000;
/** More rules of members' filters than this in one group, and a member asks for everything. */
const MAX_SHARED_RULES = 20;
/** A name that was just removed, or is being made by somebody else, is tried again so often. */
const CONFLICT_TRIES = 8;
const CONFLICT_DELAY_MS = 50;

/** Makes topics, subscriptions and rules, as far as it may. Each request is counted. */
export class Administration {
  readonly #client: ServiceBusAdministrationClient | undefined;
  readonly #settings: Settings;
  readonly #ended = new AbortController();
  #mayManage: boolean;

  constructor(settings: Settings, onRequest: () => void) {
    this.#settings = settings;
    this.#mayManage = settings.create !== false;
    const { access } = settings;
    if ('client' in access) {
      this.#client = access.administrationClient && counted(access.administrationClient, onRequest);
      this.#mayManage &&= this.#client !== undefined;
      return;
    }
    const options = {
      retryOptions: { maxRetries: 2, retryDelayInMs: 100, maxRetryDelayInMs: 1_000 },
      ...settings.administrationOptions,
    };
    const client =
      'connectionString' in access
        ? new ServiceBusAdministrationClient(access.connectionString, options)
        : new ServiceBusAdministrationClient(access.fullyQualifiedNamespace, access.credential, options);
    const { administrationUrl, operationTimeoutMs } = settings;
    const mayLookBeneath = settings.publicBecause === undefined;
    const signer = mayLookBeneath && 'connectionString' in access ? signerOf(client) : undefined;
    // Innermost, so that every attempt is counted, and signed as the SDK means it.
    this.#client = client;
    client.pipeline.addPolicy(
      {
        name: 'polycast',
        sendRequest: async (request, next) => {
          onRequest();
          if (signer !== undefined) request.headers.set('authorization', (await signer.getToken(request.url)).token);
          if (administrationUrl !== undefined) {
            const to = new URL(request.url);
            to.protocol = administrationUrl.protocol;
            to.host = administrationUrl.host;
            // Setting a host leaves the old port where the new one is the default.
            to.port = administrationUrl.port;
            request.url = to.href;
            request.allowInsecureConnection = administrationUrl.protocol === 'http:';
          }
          // Node looks up a name in brackets.
          const { hostname } = new URL(request.url);
          if (hostname.startsWith('[')) request.requestOverrides = { hostname: hostname.slice(1, -1) };
          return withinTime(request, operationTimeoutMs, this.#ended.signal, next);
        },
      },
      { phase: 'Sign' },
    );
  }

  /** Gives up what is under way: a service that does not answer would keep the process alive. Requests of a client of the user's are its own. */
  abort(): void {
    this.#ended.abort();
  }

  /** @throws TypeError where none was given */
  get client(): ServiceBusAdministrationClient {
    if (this.#client === undefined) throw new TypeError('no administration client was given');
    return this.#client;
  }

  /** False once the service has refused, or when it is not to be tried. */
  get mayManage(): boolean {
    return this.#mayManage;
  }

  /** @returns false without Manage rights. @throws PolycastError `invalid-configuration` for a topic that knows duplicates otherwise */
  async ensureTopic(name: string): Promise<boolean> {
    if (!this.#mayManage) return false;
    const { duplicateDetectionMs } = this.#settings;
    try {
      const found = await this.#orNothing(() => this.client.getTopic(name));
      if (found !== undefined) {
        this.#checkTopic(name, found.requiresDuplicateDetection);
        return true;
      }
      if (this.#settings.create === 'subscriptions') {
        throw new PolycastError('not-found', `topic "${name}" does not exist, and creating it is not allowed`);
      }
      await this.#persist(async () => {
        const made = await this.#unlessThere(() =>
          this.client.createTopic(name, {
            requiresDuplicateDetection: duplicateDetectionMs > 0,
            ...(duplicateDetectionMs > 0 ? { duplicateDetectionHistoryTimeWindow: iso(duplicateDetectionMs) } : {}),
          }),
        );
        if (!made) this.#checkTopic(name, (await this.client.getTopic(name)).requiresDuplicateDetection);
      });
      return true;
    } catch (thrown) {
      return this.#refusedOr(thrown);
    }
  }

  #checkTopic(name: string, knowsDuplicates: boolean): void {
    const wanted = this.#settings.duplicateDetectionMs > 0;
    if (knowsDuplicates === wanted) return;
    const there = knowsDuplicates ? 'with' : 'without';
    const say = knowsDuplicates ? 'set it to the window of the topic' : 'set duplicateDetectionMs to 0';
    throw new PolycastError(
      'invalid-configuration',
      `topic "${name}" exists ${there} duplicate detection, which cannot be changed: ${say}, or choose another topic`,
    );
  }

  /** @returns was it new? Undefined without Manage rights. @throws PolycastError */
  async ensureSubscription(topic: string, plan: SubscriptionPlan): Promise<boolean | undefined> {
    if (!this.#mayManage) return undefined;
    let isNew = false;
    try {
      await this.#persist(async () => {
        const [first, ...others] = plan.rules as readonly [PlannedRule, ...PlannedRule[]];
        const made = await this.#unlessThere(() =>
          this.client.createSubscription(topic, plan.name, subscriptionOptions(plan, first)),
        );
        isNew ||= made;
        if (made) await Promise.all(others.map((rule) => this.#addRule(topic, plan.name, rule)));
        else if (plan.isExclusive) await this.#replaceRules(topic, plan);
        else await this.#joinRules(topic, plan);
      });
      return isNew;
    } catch (thrown) {
      this.#refusedOr(thrown);
      return undefined;
    }
  }

  /** The new rules first: what fits either is never missed. */
  async #replaceRules(topic: string, { name, rules }: SubscriptionPlan): Promise<void> {
    const there = await this.#ruleNames(topic, name);
    await Promise.all(rules.filter((rule) => !there.has(rule.name)).map((rule) => this.#addRule(topic, name, rule)));
    const wanted = new Set(rules.map((rule) => rule.name));
    await Promise.all(
      [...there].filter((rule) => !wanted.has(rule)).map((rule) => this.#removeRule(topic, name, rule)),
    );
  }

  async #joinRules(topic: string, plan: SubscriptionPlan): Promise<void> {
    const made = await Promise.all(plan.rules.map((rule) => this.#addRule(topic, plan.name, rule)));
    const joined = plan.rules.filter((_, at) => made[at]);
    if (joined.some(({ name }) => isDurablePresenceRule(name))) await this.#keep(topic, plan.name);
    if (joined.every(({ name }) => isPresenceRule(name))) return;
    const shared = [...(await this.#ruleNames(topic, plan.name))].filter((name) => !isPresenceRule(name));
    // Filters came and went with versions of the program: from here on the members filter.
    if (shared.length > MAX_SHARED_RULES)
      await this.#addRule(topic, plan.name, { name: '$Default', filter: { sqlExpression: '1=1' } });
  }

  async #keep(topic: string, subscription: string): Promise<void> {
    const found = await this.client.getSubscription(topic, subscription);
    if (found.autoDeleteOnIdle === NEVER) return;
    await this.client.updateSubscription({ ...found, autoDeleteOnIdle: NEVER });
  }

  /** What a source leaves behind when it closes. Never throws for what is gone already. */
  async end(topic: string, plan: SourcePlan): Promise<void> {
    const { ending, subscriptions } = plan;
    if (!this.#mayManage || ending.kind === 'keep') return;
    if (ending.kind === 'leave') await this.#removeRule(topic, subscriptions[0].name, ending.mark);
    if (!(await this.#isEnding(topic, plan))) return;
    // The one with the marks is the last: who finds it and joins meanwhile is refused with it, and begins anew.
    for (const { name } of [...subscriptions].reverse()) await this.#removeSubscription(topic, name);
  }

  /** Will nobody read its subscriptions when a source has closed? Never throws: false where that cannot be known. */
  async isEnding(topic: string, plan: SourcePlan): Promise<boolean> {
    if (!this.#mayManage) return plan.ending.kind === 'delete';
    return this.#isEnding(topic, plan).catch(() => false);
  }

  async #isEnding(topic: string, { ending, subscriptions }: SourcePlan): Promise<boolean> {
    if (ending.kind !== 'leave') return ending.kind === 'delete';
    const names = (await this.#orNothing(() => this.#ruleNames(topic, subscriptions[0].name))) ?? [];
    return [...names].every((name) => !isPresenceRule(name) || name === ending.mark);
  }

  async removeTopic(name: string): Promise<void> {
    await this.#orNothing(() => this.client.deleteTopic(name));
  }

  async #removeSubscription(topic: string, name: string): Promise<void> {
    await this.#persist(() => this.#orNothing(() => this.client.deleteSubscription(topic, name)));
  }

  async #removeRule(topic: string, subscription: string, rule: string): Promise<void> {
    await this.#persist(() => this.#orNothing(() => this.client.deleteRule(topic, subscription, rule)));
  }

  /** @returns was it new? */
  #addRule(topic: string, subscription: string, { name, filter }: PlannedRule): Promise<boolean> {
    return this.#persist(() => this.#unlessThere(() => this.client.createRule(topic, subscription, name, filter)));
  }

  async #ruleNames(topic: string, subscription: string): Promise<Set<string>> {
    const names = new Set<string>();
    for await (const { name } of this.client.listRules(topic, subscription)) names.add(name);
    return names;
  }

  /** @returns false when something of the name is there already */
  async #unlessThere(create: () => Promise<unknown>): Promise<boolean> {
    try {
      await create();
      return true;
    } catch (thrown) {
      if (isConflict(thrown) && !isUnderWay(thrown)) return false;
      throw thrown;
    }
  }

  async #orNothing<Found>(ask: () => Promise<Found>): Promise<Found | undefined> {
    try {
      return await ask();
    } catch (thrown) {
      if (isAbsent(thrown)) return undefined;
      throw thrown;
    }
  }

  /** Somebody else is at the same thing: what is being removed can be made in a moment, what is being made is there in one. */
  async #persist<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (thrown) {
        if (!(isUnderWay(thrown) || isAbsent(thrown)) || tries >= CONFLICT_TRIES) throw thrown;
        await new Promise((resolve) => setTimeout(resolve, CONFLICT_DELAY_MS * tries));
      }
    }
  }

  #refusedOr(thrown: unknown): false {
    const error = mapError(thrown);
    if (error.code !== 'unauthorized') throw error;
    this.#mayManage = false;
    return false;
  }
}

/** The user's client as it is, with each call counted: its requests are its own. */
function counted(client: ServiceBusAdministrationClient, onCall: () => void): ServiceBusAdministrationClient {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        onCall();
        return Reflect.apply(value, target, args);
      };
    },
  });
}

function subscriptionOptions(plan: SubscriptionPlan, { name, filter }: PlannedRule): CreateSubscriptionOptions {
  return {
    lockDuration: iso(lockDurationOf(plan.lockMs)),
    maxDeliveryCount: MAX_DELIVERY_COUNT,
    requiresSession: plan.requiresSession,
    autoDeleteOnIdle: plan.autoDelete ? AUTO_DELETE : NEVER,
    deadLetteringOnMessageExpiration: false,
    deadLetteringOnFilterEvaluationExceptions: false,
    defaultRuleOptions: { name, filter },
  };
}

/** The lock that the service gives for the one that was asked for. */
export function lockDurationOf(lockMs: number): number {
  return Math.min(Math.max(Math.round(lockMs), MIN_LOCK_MS), MAX_LOCK_MS);
}

/** What to create where nobody may do it for the user. */
export function missing(topic: string, plans: readonly SubscriptionPlan[], settings: Settings): PolycastError {
  const duplicates =
    settings.duplicateDetectionMs === 0
      ? ''
      : ` (RequiresDuplicateDetection, window ${iso(settings.duplicateDetectionMs)})`;
  const lines = plans.map(({ name, rules, requiresSession, lockMs, autoDelete }) => {
    const properties = [
      `LockDuration ${iso(lockDurationOf(lockMs))}`,
      `MaxDeliveryCount ${MAX_DELIVERY_COUNT}`,
      ...(requiresSession ? ['RequiresSession'] : []),
      ...(autoDelete ? [] : ['AutoDeleteOnIdle never']),
    ];
    const texts = rules.filter((rule) => !isPresenceRule(rule.name)).map(({ filter }) => textOf(filter));
    return `subscription "${name}" (${properties.join(', ')}) with rule ${texts.join(' ; ')}`;
  });
  return new PolycastError(
    'not-found',
    `missing entities cannot be created (create: false, or no Manage rights); needed: topic "${topic}"${duplicates}${lines.map((line) => `, ${line}`).join('')}`,
  );
}

function textOf(filter: PlannedRule['filter']): string {
  return 'sqlExpression' in filter ? `[${filter.sqlExpression}]` : JSON.stringify(filter);
}

/** ISO 8601, as far as the service needs it. */
export function iso(ms: number): string {
  return `PT${ms / 1_000}S`;
}

function isAbsent(thrown: unknown): boolean {
  const { statusCode, code } = thrown as { statusCode?: unknown; code?: unknown };
  return statusCode === 404 || code === 'MessageEntityNotFoundError' || code === 'MessagingEntityNotFound';
}

function isConflict(thrown: unknown): boolean {
  const { statusCode, code } = thrown as { statusCode?: unknown; code?: unknown };
  return statusCode === 409 || code === 'MessageEntityAlreadyExistsError';
}

/** SubCode 40901: another operation on the same thing. */
function isUnderWay(thrown: unknown): boolean {
  const { message, code } = thrown as { message?: unknown; code?: unknown };
  return (
    isConflict(thrown) &&
    (/SubCode=40901\b|conflicting operation|in progress/i.test(String(message)) || code === 'InvalidOperationError')
  );
}

/**
 * One attempt, bounded in time. The HTTP client's own `timeout` is not used: in some versions it leaves a timer behind when the connection
 * is refused, which keeps the process alive.
 */
async function withinTime(request: Request, timeoutMs: number, ended: AbortSignal, send: Send): ReturnType<Send> {
  const { abortSignal } = request;
  const timeout = AbortSignal.timeout(timeoutMs);
  const bounds = [timeout, ended];
  request.timeout = 0;
  request.abortSignal = AbortSignal.any(abortSignal === undefined ? bounds : [...bounds, abortSignal as AbortSignal]);
  try {
    return await send(request);
  } catch (thrown) {
    if (timeout.aborted) throw Object.assign(new Error(`no answer within ${timeoutMs} ms`), { name: 'TimeoutError' });
    throw thrown;
  } finally {
    // The next attempt has its own time.
    if (abortSignal === undefined) delete request.abortSignal;
    else request.abortSignal = abortSignal;
  }
}
