import { seeded } from '../random.ts';
import type { Act, Deed, Fault, FaultyCall, History, PublishPlan, Step, SubscriptionPlan } from './history.ts';
import { FINAL_THROWN, ODD_RETURNED, ODD_THROWN } from './odd-values.ts';
import { PROFILES, profileOf } from './profile.ts';

/** What a history is about: few troubles at once show more than all of them, since each excuses something. */
const THEMES = [
  'calm',
  'publish',
  'connection',
  'handlers',
  'closing',
  'farewell',
  'locks',
  'set-aside',
  // What comes by two ways needs more of them.
  'groups',
  'groups',
  'strangers',
  'clocks',
  'all',
] as const;
type Theme = (typeof THEMES)[number];

/** The history of a seed. */
export function historyOf(seed: number): History {
  return new Generator(seed).history();
}

class Generator {
  readonly #random: () => number;
  readonly #seed: number;
  readonly #theme: Theme;
  readonly #profile: History['profile'];
  /** By slot. */
  readonly #roles: readonly string[];
  #subs = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = seeded(seed);
    // The first numbers of neighbouring seeds are alike.
    this.#random();
    this.#profile = this.#one(PROFILES);
    this.#theme = this.#one(THEMES);
    // Groups of one name in one role, or in two.
    this.#roles = ['a', this.#chance(0.5) ? 'a' : 'b', this.#chance(0.7) ? 'a' : 'b'];
  }

  history(): History {
    const steps: Step[] = [];
    const slots = this.#chance(0.7) ? 2 : 3;
    for (let slot = 0; slot < slots; slot++) {
      const isSkewed = (this.#theme === 'clocks' || this.#theme === 'all') && this.#chance(0.5);
      const wallOffsetMs = isSkewed ? this.#one([-660_000, -5_000, 5_000, 660_000]) : 0;
      steps.push({ afterMs: 0, kind: 'join', slot, role: this.#roles[slot] as string, wallOffsetMs });
    }
    const count = 1 + this.#below(2);
    for (let at = 0; at < count; at++) steps.push({ afterMs: at === 0 ? 5 : this.#gap(), ...this.#subscribe(slots) });
    const length = 2 + this.#below(5);
    for (let at = 0; at < length; at++) steps.push({ afterMs: at === 0 ? 5 : this.#gap(), ...this.#deed(slots) });
    // So that what was lost can be said.
    if (this.#chance(0.7)) {
      for (let slot = 0; slot < slots; slot++) {
        steps.push({ afterMs: slot === 0 ? 200 : 1, kind: 'publish', slot, count: 1 });
      }
    }
    return { profile: this.#profile, seed: this.#seed, steps };
  }

  #deed(slots: number): Deed {
    const roll = this.#random();
    if (roll < 0.5) return this.#publish(slots);
    if (roll < 0.58) return this.#subscribe(slots);
    const slot = this.#below(slots);
    const sub = this.#below(Math.max(1, this.#subs));
    if (roll < 0.62) return { kind: this.#one(['pause', 'resume', 'drain'] as const), sub };
    const theme = this.#theme === 'all' ? this.#one(THEMES) : this.#theme;
    switch (theme) {
      case 'groups':
        return this.#one([() => this.#locks(slot), () => this.#closing(slot, sub), () => this.#connection(slot)])();
      case 'publish':
        return {
          kind: 'fault',
          slot: this.#publisher(slots),
          call: 'publish',
          how: this.#fault('publish'),
          ...this.#times(),
          // What becomes of a retry is another matter.
          ...(this.#chance(0.4) ? { next: this.#fault('publish') } : {}),
        };
      case 'connection':
        return this.#connection(slot);
      case 'closing':
        return this.#closing(slot, sub);
      case 'farewell':
        // Right behind what was published for it.
        return this.#chance(0.7)
          ? { kind: 'close', sub, drainMs: this.#one([10, 1_000]) }
          : { kind: 'leave', slot, drainMs: this.#one([10, 1_000]) };
      case 'set-aside':
        return this.#chance(0.5)
          ? { ...this.#publish(slots), id: 0 }
          : {
              kind: 'fault',
              slot,
              call: this.#one(['settle', 'publish'] as const),
              how: { how: 'refuse', isFinal: true },
              times: this.#one([1, 30]),
            };
      case 'locks':
        return this.#locks(slot);
      case 'strangers':
        return this.#chance(0.6)
          ? { kind: 'forge', as: slot, number: this.#one([1, 2, 5, 1_000_000, 9_007_199_254_740_991]) }
          : { ...this.#publish(slots), id: this.#below(2) };
      case 'clocks':
        return { kind: 'clock', slot, byMs: this.#one([-660_000, -2_000, 2_000, 660_000]) };
      case 'calm':
        return this.#chance(0.5)
          ? { kind: 'request', slot, expect: 1 + this.#below(3), timeoutMs: this.#one([20, 500, 300_000]) }
          : { kind: 'members', slot };
      default:
        return this.#publish(slots);
    }
  }

  #connection(slot: number): Deed {
    if (this.#chance(0.4) && profileOf(this.#profile).isLossy) {
      return { kind: 'fault', slot, call: 'deliver', how: this.#fault('deliver') };
    }
    const roll = this.#random();
    if (roll < 0.5) return { kind: 'cut', slot, downMs: this.#one([1, 20, 300, 3_000]) };
    if (roll < 0.65) return { kind: 'restart', keeps: this.#chance(0.7), downMs: this.#one([5, 300]) };
    const call = this.#one(['subscribe', 'publish', 'deliver', 'open', 'stop', 'caughtUp'] as const);
    return { kind: 'fault', slot, call, how: this.#fault(call) };
  }

  #closing(slot: number, sub: number): Deed {
    const drainMs = this.#one([0, 0, 10, 200, 1_000]);
    const roll = this.#random();
    if (roll < 0.35) return { kind: 'close', sub, drainMs };
    if (roll < 0.5) return { kind: 'abort', sub };
    if (roll < 0.7) return { kind: 'leave', slot, drainMs };
    if (roll < 0.78) return { kind: 'crash', slot };
    if (roll < 0.9) return { kind: 'join', slot, role: this.#roles[slot] as string, wallOffsetMs: 0 };
    const call = this.#one(['stop', 'caughtUp', 'settle'] as const);
    return { kind: 'fault', slot, call, how: this.#fault(call) };
  }

  #locks(slot: number): Deed {
    if (this.#chance(0.3)) return { kind: 'lose-locks', slot };
    const call = this.#one(['settle', 'settle', 'renew', 'publish'] as const);
    return { kind: 'fault', slot, call, how: this.#fault(call), ...this.#times() };
  }

  /** Once, mostly. */
  #times(): { readonly times?: number } {
    return this.#chance(0.2) ? { times: this.#one([3, 30]) } : {};
  }

  #fault(call: FaultyCall): Fault {
    if (call === 'deliver') {
      return this.#chance(0.6) ? { how: 'lose' } : { how: 'late', byMs: this.#one([5, 50, 500]) };
    }
    const roll = this.#random();
    if (call === 'stop') return { how: 'late', byMs: this.#one([5, 500]) };
    if (roll < 0.3) return { how: 'refuse', isFinal: this.#chance(0.3) };
    if (roll < 0.45 && call === 'publish') return { how: 'refuse-some', isFinal: this.#chance(0.3) };
    if (roll < 0.6) return { how: 'lose-answer' };
    if (roll < 0.85 || call === 'open' || call === 'subscribe') return { how: 'late', byMs: this.#one([5, 50, 2_000]) };
    if (roll < 0.93) return { how: 'never', isTaken: this.#chance(0.5) };
    return call === 'settle' || call === 'renew' || call === 'publish' ? { how: 'throw' } : { how: 'lose-answer' };
  }

  #publish(slots: number): { readonly kind: 'publish'; readonly slot: number } & PublishPlan {
    const slot = this.#publisher(slots);
    const count = this.#chance(0.6) ? 1 : 2 + this.#below(5);
    const roll = this.#random();
    const to =
      this.#theme === 'groups' && roll < 0.7
        ? this.#toInstances(slots)
        : roll < 0.6
          ? undefined
          : roll < 0.75
            ? [this.#one(['role:a', 'role:b'])]
            : roll < 0.9
              ? [`instance:p${this.#below(slots)}`]
              : ['role:a', `instance:p${this.#below(slots)}`];
    return {
      kind: 'publish',
      slot,
      count,
      ...(to === undefined ? {} : { to: [...new Set(to)] }),
      ...(this.#chance(0.4) ? { key: this.#one(['k', 'l']) } : {}),
      ...(this.#chance(0.15) ? { ttlMs: this.#one([5, 50, 1_000]) } : {}),
      ...(this.#chance(0.15) ? { carbonCopy: true } : {}),
      ...(this.#chance(0.1) ? { confirm: 'none' as const } : {}),
      ...(this.#chance(0.08) ? { id: this.#below(2) } : {}),
    };
  }

  /** What comes past groups, and perhaps through them as well. */
  #toInstances(slots: number): string[] {
    const instance = `instance:p${this.#below(slots)}`;
    return this.#one([
      [instance],
      ['role:a', instance],
      ['*', instance],
      [instance, `instance:p${this.#below(slots)}`],
    ]);
  }

  /** Mostly the same one: what one publisher sends has an order. */
  #publisher(slots: number): number {
    return this.#chance(0.5) ? 0 : this.#below(slots);
  }

  #subscribe(slots: number): { readonly kind: 'subscribe'; readonly slot: number } & SubscriptionPlan {
    const { isLeased, isDirect } = profileOf(this.#profile);
    const sub = this.#subs++;
    const roll = isLeased || isDirect ? this.#random() : 1;
    const isRead = this.#chance(0.1);
    const isGroup = roll < (this.#theme === 'groups' ? 0.85 : 0.35);
    return {
      kind: 'subscribe',
      slot: this.#below(slots),
      sub,
      ...(isGroup ? this.#group(isLeased) : isLeased && roll < 0.65 ? { durable: this.#one(['d', 'e']) } : {}),
      ...(this.#chance(0.3) ? { concurrency: this.#one([2, 3]) } : {}),
      ...(this.#chance(0.3) ? { bufferSize: this.#one([1, 2, 4]) } : {}),
      ...(this.#chance(0.5) ? { tries: this.#one([1, 2, 3]) } : {}),
      ...(this.#chance(0.1) ? { deadLetter: 'drop' as const } : {}),
      ...(isRead ? { isRead } : {}),
      ...(this.#theme !== 'farewell' && this.#chance(0.75) ? { acts: this.#acts() } : {}),
    };
  }

  /** Mostly the same one. */
  #group(isKept: boolean): { readonly group: string; readonly durable?: string } {
    const group = this.#chance(0.7) ? 'g' : 'h';
    return isKept && this.#chance(0.6) ? { group, durable: 'g' } : { group };
  }

  #acts(): readonly Act[] {
    if (this.#theme === 'handlers' && this.#chance(0.15)) return Array(6).fill({ act: 'release', delayMs: 300 });
    return Array.from({ length: 1 + this.#below(5) }, () => this.#act());
  }

  #act(): Act {
    if (this.#theme === 'set-aside' && this.#chance(0.6)) {
      return this.#chance(0.5) ? { act: 'reject' } : { act: 'throw', odd: FINAL_THROWN };
    }
    if (this.#theme === 'closing' && this.#chance(0.5)) {
      // Ends after closing has given up waiting for it.
      const afterMs = this.#one([30, 400]);
      return this.#one([
        { act: 'throw', afterMs },
        { act: 'reject', afterMs },
        { act: 'release', delayMs: 0, afterMs },
      ] as const);
    }
    const roll = this.#random();
    const afterMs = this.#chance(0.5) ? { afterMs: this.#one([1, 3, 30, 400]) } : {};
    if (roll < 0.35) return { act: 'return', ...afterMs };
    if (this.#theme !== 'handlers' && this.#theme !== 'all' && roll < 0.5) return { act: 'return', afterMs: 4_000 };
    if (roll < 0.6) return { act: 'throw', ...afterMs, ...(this.#chance(0.5) ? { odd: this.#oddThrown() } : {}) };
    if (roll < 0.66) return { act: 'reject', ...afterMs };
    if (roll < 0.72) return { act: 'release', delayMs: this.#one([0, 5, 300]), ...afterMs };
    if (roll < 0.76) return { act: 'hang' };
    if (roll < 0.81) return { act: 'return-odd', odd: this.#below(ODD_RETURNED.length) };
    if (roll < 0.86) return { act: 'close', isAwaited: this.#chance(0.5), drainMs: this.#one([0, 100, 1_000]) };
    if (roll < 0.89) return { act: 'leave', isAwaited: this.#chance(0.5), drainMs: this.#one([0, 100, 1_000]) };
    if (roll < 0.94) return { act: 'publish', isAwaited: this.#chance(0.5) };
    if (roll < 0.97) return { act: 'reply' };
    return { act: 'pause' };
  }

  #oddThrown(): number {
    return this.#chance(0.2) ? FINAL_THROWN : this.#below(ODD_THROWN.length);
  }

  #gap(): number {
    return this.#one([0, 0, 1, 1, 2, 5, 40, 700]);
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #one<Value>(values: readonly Value[]): Value {
    return values[this.#below(values.length)] as Value;
  }
}
