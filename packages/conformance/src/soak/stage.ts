import { type Address, PolycastError } from '@polycast/core';
import { type ProxyHandle, startProxy } from '@polycast/local-services/proxy';
import type { Entry, Happening } from '../history/record.ts';
import type { ConformanceTarget, Remote } from '../target.ts';
import { nowMs, ParticipantProcess } from './participant-process.ts';
import { type FaultKind, SLOTS } from './plan.ts';

/** Histories that a process takes part in before it must show that it can end. */
const HISTORIES_EACH = 12;
/** Maximum time for a process with nothing open to end, ms, by its own event loop. */
const END_WITHIN_MS = 10_000;

/** What histories are played on: a service, a proxy before it for each slot, and processes that wait to take part. */
export class Stage {
  readonly target: ConformanceTarget;
  readonly remote: Remote;
  readonly proxies: readonly (ProxyHandle | undefined)[];
  /** All slots in one process: nothing of the transport leaves it. */
  readonly isShared: boolean;
  readonly #spare: ParticipantProcess[] = [];
  /** Processes that did not end by themselves. */
  readonly leftovers: string[] = [];
  readonly #ending = new Set<Promise<void>>();

  static async of(target: ConformanceTarget): Promise<Stage> {
    const { remote } = target;
    if (remote === undefined) {
      throw new PolycastError(
        'invalid-configuration',
        `the harness of ${target.name} cannot be soaked: it has no \`remote\`, which says how other processes reach the service`,
      );
    }
    const { address } = remote;
    const proxies = await Promise.all(
      SLOTS.map(async () => (address === undefined ? undefined : startProxy({ target: address }))),
    );
    return new Stage(target, remote, proxies);
  }

  private constructor(target: ConformanceTarget, remote: Remote, proxies: readonly (ProxyHandle | undefined)[]) {
    this.target = target;
    this.remote = remote;
    this.proxies = proxies;
    this.isShared = target.transport().manifest.via === 'process';
  }

  /** A process that waits for orders; another is started in its stead. @param seed of the history that it takes part in */
  take(clockMs: number, seed: number): ParticipantProcess {
    const taken = (clockMs === 0 ? this.#spare.shift() : undefined) ?? new ParticipantProcess(clockMs);
    if (this.#spare.length === 0) this.#spare.push(new ParticipantProcess());
    taken.seeds.push(seed);
    taken.answeredAtMs = nowMs();
    return taken;
  }

  /** Takes back a process that has left everything it had joined. */
  giveBack(process: ParticipantProcess): void {
    process.onEntry = () => {};
    process.onDied = () => {};
    if (process.isOver) return;
    if (process.seeds.length < HISTORIES_EACH && process.clockMs === 0 && !process.isShifted) {
      this.#spare.unshift(process);
      return;
    }
    this.#end(process);
  }

  #end(process: ParticipantProcess): void {
    const ending = process.end(END_WITHIN_MS).then((keptBy) => {
      if (keptBy === undefined) return;
      // It is only seen now, and another history is playing: one of its own has left it.
      const of = process.seeds.join(', ');
      this.leftovers.push(`${process.name} had left everything and did not end, after the histories ${of}: ${keptBy}`);
    });
    this.#ending.add(ending);
    void ending.then(() => this.#ending.delete(ending));
  }

  /** Afterwards all leftovers are known: each process has shown that it can end. */
  async close(): Promise<void> {
    for (const process of this.#spare.splice(0)) {
      if (process.seeds.length === 0) await process.kill();
      else this.#end(process);
    }
    await Promise.all(this.#ending);
    await Promise.all(this.proxies.map((proxy) => proxy?.stop()));
  }
}

/** How often a record is looked at while it grows, ms. */
const LOOK_EVERY_MS = 5;

/** Writes down what happens, and lets others wait for it. */
export class Recorder {
  readonly entries: Entry[] = [];
  /** Nothing is waited for any more. */
  readonly #signal: AbortSignal | undefined;
  #watchers: (() => void)[] = [];

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  get isOver(): boolean {
    return this.#signal?.aborted === true;
  }

  note(happening: Happening): void {
    this.add({ at: nowMs(), ...happening });
  }

  add(entry: Entry): void {
    this.entries.push(entry);
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watch of watchers) watch();
  }

  /** Resolves when something more was written, or after so long. */
  more(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#watchers.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Waits until it holds. @returns false if it does not within so long */
  async until(condition: () => boolean, withinMs: number): Promise<boolean> {
    const deadline = nowMs() + withinMs;
    while (!condition()) {
      const leftMs = deadline - nowMs();
      if (leftMs <= 0 || this.isOver) return false;
      await this.more(Math.min(leftMs, 100));
      // What comes in a burst is looked at once.
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return true;
  }
}

/** What of a service a harness can break. */
export function faultsOf(target: ConformanceTarget): ReadonlySet<FaultKind> {
  const { faults = {}, remote } = target;
  const kinds: [FaultKind, boolean][] = [
    ['cut', remote?.address !== undefined],
    ['cut-one', remote?.address !== undefined],
    ['delay', remote?.address !== undefined],
    ['swallow', remote?.address !== undefined],
    ['crash', true],
    ['freeze-participant', true],
    ['clock', true],
    ['cut-all', faults.cut !== undefined && faults.restart !== undefined],
    ['freeze-service', faults.freeze !== undefined && faults.thaw !== undefined],
    ['kill-service', faults.kill !== undefined && faults.start !== undefined],
    ['restart-service', faults.restart !== undefined],
    ['refuse', faults.refuse !== undefined && faults.relent !== undefined],
    ['forbid', faults.forbid !== undefined && faults.permit !== undefined],
    ['trim', faults.trim !== undefined],
    ['wipe', faults.wipe !== undefined],
    ['demote', faults.demote !== undefined],
  ];
  return new Set(kinds.filter(([, has]) => has).map(([kind]) => kind));
}

export type AddressList = readonly Address[];
