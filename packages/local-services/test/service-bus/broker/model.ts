/** What the model knows of one message. */
export interface Known {
  readonly id: string;
  readonly sessionId: string | undefined;
  readonly ttlMs: number;
  /** Sequence number. */
  number: number;
  expiresAtMs: number;
  place: 'waiting' | 'locked' | 'deferred' | 'locked-deferred' | 'scheduled' | 'dead' | 'gone';
  failures: number;
  scheduledAtMs: number;
  readonly wasScheduled: boolean;
  token: string | undefined;
  lockedUntilMs: number;
  reason: string | undefined;
}

export interface ModelOptions {
  readonly lockMs: number;
  readonly maxDeliveryCount: number;
}

/** A queue written down as simply as can be: every message is in one place, and time moves it. */
export class Model {
  readonly messages: Known[] = [];
  readonly #options: ModelOptions;
  #last = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  in(...places: Known['place'][]): Known[] {
    return this.messages.filter(({ place }) => places.includes(place)).sort((a, b) => a.number - b.number);
  }

  byId(id: string | undefined): Known {
    return this.messages.find((message) => message.id === id)!;
  }

  send(id: string, now: number, ttlMs: number, scheduledAtMs: number, sessionId?: string): Known {
    const message: Known = {
      id,
      sessionId,
      ttlMs,
      number: ++this.#last,
      expiresAtMs: now + ttlMs,
      place: scheduledAtMs > now ? 'scheduled' : 'waiting',
      failures: 0,
      scheduledAtMs,
      wasScheduled: scheduledAtMs > now,
      token: undefined,
      lockedUntilMs: 0,
      reason: undefined,
    };
    this.messages.push(message);
    return message;
  }

  lock(message: Known, token: string, untilMs: number): void {
    message.place = message.place === 'deferred' ? 'locked-deferred' : 'locked';
    message.token = token;
    message.lockedUntilMs = untilMs;
  }

  /** Its lock ended. */
  giveBack(message: Known, now: number, isFailure: boolean): void {
    message.token = undefined;
    if (isFailure) message.failures++;
    if (message.failures >= this.#options.maxDeliveryCount) this.#die(message, 'MaxDeliveryCountExceeded');
    else if (message.place === 'locked-deferred') message.place = 'deferred';
    else if (message.expiresAtMs <= now) this.#die(message, 'TTLExpiredException');
    else message.place = 'waiting';
  }

  settle(message: Known, kind: 'complete' | 'abandon' | 'defer' | 'dead-letter', now: number): void {
    if (kind === 'abandon') return this.giveBack(message, now, true);
    message.token = undefined;
    if (kind === 'complete') message.place = 'gone';
    else if (kind === 'defer') {
      message.place = 'locked-deferred';
      this.giveBack(message, now, true);
    } else this.#die(message, 'refused');
  }

  /** What time has done until now, in order. */
  pass(now: number): void {
    for (;;) {
      const next = Math.min(
        ...this.in('locked', 'locked-deferred').map(({ lockedUntilMs }) => lockedUntilMs),
        ...this.in('waiting').map(({ expiresAtMs }) => expiresAtMs),
        ...this.in('scheduled').map(({ scheduledAtMs }) => scheduledAtMs),
      );
      if (next > now) return;
      this.#passTo(next);
    }
  }

  #passTo(now: number): void {
    for (const message of this.in('locked', 'locked-deferred')) {
      if (message.lockedUntilMs <= now) this.giveBack(message, now, true);
    }
    for (const message of this.in('waiting')) if (message.expiresAtMs <= now) this.#die(message, 'TTLExpiredException');
    const due = this.in('scheduled').filter(({ scheduledAtMs }) => scheduledAtMs <= now);
    for (const message of due.sort((a, b) => a.scheduledAtMs - b.scheduledAtMs)) {
      message.number = ++this.#last;
      message.expiresAtMs = message.scheduledAtMs + message.ttlMs;
      message.place = 'waiting';
    }
  }

  #die(message: Known, reason: string): void {
    message.place = 'dead';
    message.reason = reason;
  }
}
