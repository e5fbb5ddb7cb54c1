import { type LinkContext, LinkMonitor, Outage, PolycastError, startKeepAlive, within } from '@polycast/core/adapter';
import type { Cluster, Redis } from 'ioredis';
import { addressOf, type Commands, nodeFor, ownerOf, ready, reconnectDelayMs, refreshSlots } from './client.ts';
import { mapError } from './map-error.ts';
import type { Sending } from './send.ts';
import { fieldOfInfo, type History, isReply, isTakeover, REPLICA_ERROR, WAS_REPLICA_ERROR } from './server-role.ts';
import type { Settings } from './settings.ts';
import { TransactionRight } from './transaction-right.ts';

export interface CommandConnectionOptions {
  readonly commands: Commands;
  readonly settings: Settings;
  readonly context: LinkContext;
  /** A key of the topic: on a cluster, its server is the one to watch. */
  readonly key: string;
  /**
   * Left out where nothing is kept. Asked when another server, or another run of the same one, may have taken over: is
   * all there that was published? Resolves to false where that cannot be known; rejects where it may be known later.
   */
  isIntact?(): Promise<boolean>;
  /** Of a link that keeps something: has it read what others published? What a replica that took over lacks of that is not known. */
  isReader?(): boolean;
  /**
   * Another server took over, or data is missing; called before it counts as up again.
   * @param takeover names it, the same for every connection
   */
  onTakeover?(takeover: string): Promise<void>;
  /** False while another connection's signals say more. */
  concerns(): boolean;
  /** After each keep-alive that was answered, and when it is up again. */
  onAnswer?(redis: Redis, isRestored: boolean): void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: PolycastError) => void;
}

/**
 * Whether what is published arrives: the connection for commands is up once its server has answered that it is a
 * primary. It is asked again with each keep-alive, since a demotion can leave connections alone. Signals both ends of
 * an outage, and why it lasts.
 *
 * On a cluster every server knows which one a key belongs to, and says so.
 */
export class CommandConnection {
  readonly #options: CommandConnectionOptions;
  readonly #client: Redis | Cluster;
  readonly #isGiven: boolean;
  readonly #endListening: () => void;
  readonly #outage: Outage;
  readonly #endKeepAlive: () => void;
  #isUp = true;
  #isClosed = false;
  readonly #monitor: LinkMonitor;
  #mayHaveLost = false;
  #lastError: unknown;
  #retry: NodeJS.Timeout | undefined;
  /** Counts the connections: what was asked on an earlier one does not count. */
  #life = 0;
  /** The question under way: whoever asks meanwhile gets its answer. */
  #checking: { readonly life: number; readonly done: Promise<void> } | undefined;
  /** How often it turned out to be a replica since it was up. */
  #refusals = 0;
  /** Which life of the server what was published went to. */
  #serverRun: Promise<string | undefined>;
  /** Of the data that what was published went to, and what was read came from. */
  #history: History | undefined;
  /** Has a replica taken over since it was up? It may have been behind. */
  #isTakenOver = false;
  #waiting: Waiter[] = [];

  constructor(options: CommandConnectionOptions) {
    const { commands, settings, context, isIntact } = options;
    const { client, isCluster } = commands;
    this.#options = options;
    this.#client = client;
    this.#history = commands.history;
    this.#isGiven = settings.client !== undefined;
    this.#outage = new Outage('the connection cannot be restored', (error) =>
      context.signal({ kind: 'failed', what: 'publish', error }),
    );
    this.#monitor = new LinkMonitor(context.signal, () => options.concerns());
    this.#serverRun = isIntact === undefined ? Promise.resolve(undefined) : this.#askRun();
    this.#endListening = commands.listen({
      error: this.#onError,
      close: this.#onClose,
      ready: this.#onReady,
      nodeLost: this.#onNodeLost,
    });
    this.#endKeepAlive = startKeepAlive({
      intervalMs: settings.pingIntervalMs,
      monitor: this.#monitor,
      connection: () => ready(this.server),
      isAnswer: isReply,
      ask: async (redis) => {
        await (isCluster ? redis.ping() : this.#check(true));
        options.onAnswer?.(redis, false);
      },
      giveUp: (redis) => {
        // Another link may have done so, and a connection that is being made must not be ended.
        if (this.#isGiven || redis.status !== 'ready') return;
        redis.disconnect(!isCluster);
        if (isCluster) refreshSlots(client as Cluster).catch(() => {});
      },
    });
  }

  /** The connection to the server of the topic; on a cluster, as far as known. */
  get server(): Redis | undefined {
    const { commands, key } = this.#options;
    return commands.isCluster ? nodeFor(this.#client as Cluster, key) : (this.#client as Redis);
  }

  /** Resolves when it knows which life of the server it publishes to. Never rejects. */
  async known(): Promise<void> {
    await this.#serverRun;
  }

  /** Resolves when it is up again; rejects with the reason as soon as another try has failed. */
  whenUp(): Promise<void> {
    if (this.#isUp) return Promise.resolve();
    if (this.#isClosed) return Promise.reject(new PolycastError('closed', 'the connection is closed'));
    const waiting = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    return within(this.#options.settings.commandTimeoutMs, waiting, {
      late: () => new PolycastError('timeout', 'no connection in time'),
    });
  }

  /** Sends nothing while it is not up, and no transaction of a user who may not use them. */
  gated({ one, several }: Sending): Sending {
    const right = new TransactionRight();
    return {
      one: (channel, payload, key) =>
        this.#isUp ? one(channel, payload, key) : this.whenUp().then(() => one(channel, payload, key)),
      several: async (channel, parcels) => {
        if (!this.#isUp) await this.whenUp();
        const { server } = this;
        return server !== undefined && (await right.isGiven(server)) && several(channel, parcels);
      },
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#endKeepAlive();
    this.#endRetry();
    this.#endListening();
    this.#isUp = false;
    this.#rejectWaiting(new PolycastError('closed', 'the connection is closed'));
  }

  readonly #onError = (error: unknown): void => {
    this.#lastError = error;
    // Sentinels that do not answer are asked again and again without the connection closing in between.
    if (this.#monitor.isDown) this.#stillDown(mapError(error));
  };

  readonly #onClose = (): void => {
    const error = mapError(this.#lastError ?? new Error('Connection is closed.'));
    this.#lastError = undefined;
    // The next one asks anew.
    this.#endRetry();
    if (this.#monitor.isDown) this.#stillDown(error);
    else this.#lose(error);
  };

  readonly #onReady = (): void => {
    this.#lastError = undefined;
    if (this.#options.commands.isCluster) {
      if (this.#monitor.isDown) this.#followOwner(1);
      return;
    }
    // Until it has answered, nothing is published: a replica would take it.
    this.#isUp = false;
    this.#life++;
    this.#checkUntilUp(1);
  };

  /** What the server refuses to answer now (it is loading, or busy) it may answer in a moment. The keep-alive would be late. */
  #checkUntilUp(times: number): void {
    const life = this.#life;
    this.#check().catch((thrown) => {
      // Lost again: its end reports that.
      if (this.#isClosed || this.#isUp || life !== this.#life || this.#client.status !== 'ready') return;
      this.#stillDown(mapError(thrown));
      this.#later(times, () => this.#checkUntilUp(times + 1));
    });
  }

  #later(times: number, deed: () => void): void {
    this.#endRetry();
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      deed();
    }, reconnectDelayMs(times));
    this.#retry.unref();
  }

  #endRetry(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  /** A cluster goes on without one of its servers, and with the connection to it alone nothing is said of it. */
  readonly #onNodeLost = (node: Redis): void => {
    if (this.#isClosed || this.#monitor.isDown) return;
    if (addressOf(node) !== ownerOf(this.#client as Cluster, this.#options.key)) return;
    this.#lose(mapError(new Error('Connection is closed.')));
    this.#followOwner(1);
  };

  /** Connects to the server that holds the topic by now. */
  #followOwner(times: number): void {
    this.#later(times, () => {
      const cluster = this.#client as Cluster;
      // While it has lost all its servers, it is `ready` again later.
      if (cluster.status !== 'ready') return;
      refreshSlots(cluster)
        .then(() => this.server?.ping())
        .then(() => this.#restore())
        .catch((thrown) => {
          if (this.#isClosed) return;
          this.#stillDown(mapError(thrown));
          this.#followOwner(times + 1);
        });
    });
  }

  #check(isRoutine = false): Promise<void> {
    const life = this.#life;
    if (this.#checking?.life === life) return this.#checking.done;
    const checking = { life, done: this.#ask(life, isRoutine) };
    const end = () => {
      if (this.#checking === checking) this.#checking = undefined;
    };
    this.#checking = checking;
    checking.done.then(end, end);
    return checking.done;
  }

  async #ask(life: number, isRoutine: boolean): Promise<void> {
    const redis = this.#client as Redis;
    const { role, history } = await this.#options.commands.standing(redis, isRoutine);
    if (this.#isClosed || life !== this.#life || redis.status !== 'ready') return;
    if (role === 'replica') return this.#refuse();
    const isTakeOver = isTakeover(this.#history, history);
    if (isTakeOver) this.#isTakenOver = true;
    // Demoted and promoted again between two questions: nothing else tells of it, and nothing need have ended the connection.
    if (isTakeOver && this.#isUp) this.#loseToReplica(mapError(new Error(WAS_REPLICA_ERROR)));
    // Lost before it could be asked again, it finds the server that took over; the others may still be with the one before.
    else if (this.#monitor.downSinceMs !== undefined) {
      const isSame = history !== undefined && history.id === this.#history?.id;
      this.#options.commands.moved({ history, isSame, lostAtMs: this.#monitor.downSinceMs });
    }
    this.#history = history ?? this.#history;
    this.#options.commands.history = history;
    if (!this.#isUp) await this.#restore();
  }

  /** A replica: whatever was published since it was asked last reached nobody. */
  #refuse(): void {
    const error = mapError(new Error(REPLICA_ERROR));
    if (this.#monitor.isDown) this.#stillDown(error);
    else this.#loseToReplica(error);
    // The keep-alive asks as well, and may do so more often.
    if (this.#retry !== undefined) return;
    const times = this.#refusals++;
    if (this.#isGiven) this.#later(times, () => this.#checkUntilUp(1));
    else if (times === 0) this.#leave();
    else this.#later(times, () => this.#leave());
  }

  #loseToReplica(error: PolycastError): void {
    this.#mayHaveLost = true;
    this.#lose(error);
    this.#options.commands.moved();
  }

  /** The address may lead elsewhere by now. */
  #leave(): void {
    this.#lastError = new Error(REPLICA_ERROR);
    // Another link may have done so already.
    if (this.#client.status === 'ready') this.#client.disconnect(true);
  }

  #lose(error: PolycastError): void {
    this.#isUp = false;
    this.#monitor.down(error);
  }

  #stillDown(error: PolycastError): void {
    this.#outage.failed(error);
    this.#rejectWaiting(error);
  }

  async #restore(): Promise<void> {
    const { isIntact, isReader, onTakeover } = this.#options;
    const life = this.#life;
    if (isIntact === undefined) this.#mayHaveLost ||= this.#isTakenOver;
    else {
      const before = this.#serverRun;
      this.#serverRun = this.#askRun();
      const [old, now] = await Promise.all([before, this.#serverRun]);
      const isSame = old !== undefined && old === now && !this.#isTakenOver && !this.#mayHaveLost;
      // Should no answer come, it is asked again.
      this.#mayHaveLost = !isSame;
      if (!isSame) this.#mayHaveLost = !(await isIntact()) || (this.#isTakenOver && isReader?.() === true);
      if (this.#mayHaveLost || this.#isTakenOver) {
        const run = await this.#serverRun;
        // Should it fail with the connection, the next one comes by here as well.
        await onTakeover?.(`${this.#history?.id ?? ''} ${run ?? ''}`).catch(() => {});
      }
      if (this.#isClosed || life !== this.#life || this.#client.status !== 'ready') return;
    }
    this.#isUp = true;
    this.#refusals = 0;
    this.#endRetry();
    this.#outage.over();
    const mayHaveLost = this.#mayHaveLost;
    this.#mayHaveLost = false;
    this.#isTakenOver = false;
    this.#monitor.up({ mayHaveLost });
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    if (this.server !== undefined) this.#options.onAnswer?.(this.server, true);
  }

  /** Undefined where the server, or the user's permissions, do not say. */
  async #askRun(): Promise<string | undefined> {
    if (this.#options.commands.isCluster) return undefined;
    return fieldOfInfo(await (this.#client as Redis).info('server').catch(() => ''), 'run_id');
  }

  #rejectWaiting(error: PolycastError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
