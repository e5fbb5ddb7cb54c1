import type { Transport } from '@polycast/core';
import { ConformanceFailure } from './assert.ts';
import type { ConformanceTarget } from './target.ts';

/** A target's faults as steps of a case. Remembers what is broken, so that nothing stays broken after the case. */
export class FaultSwitch {
  readonly #target: ConformanceTarget;
  #down = false;
  #frozen = false;

  constructor(target: ConformanceTarget) {
    this.#target = target;
  }

  has(name: 'restart' | 'kill' | 'freeze' | 'cut' | 'abandon' | 'throttle' | 'trim'): boolean {
    return this.#target.faults?.[name] !== undefined;
  }

  async restart(): Promise<void> {
    await need(this.#target.faults?.restart, 'restart').call(this.#target.faults);
  }

  async kill(): Promise<void> {
    this.#down = true;
    await need(this.#target.faults?.kill, 'kill').call(this.#target.faults);
  }

  async start(): Promise<void> {
    await need(this.#target.faults?.start, 'start').call(this.#target.faults);
    this.#down = false;
  }

  async freeze(): Promise<void> {
    this.#frozen = true;
    await need(this.#target.faults?.freeze, 'freeze').call(this.#target.faults);
  }

  async thaw(): Promise<void> {
    await need(this.#target.faults?.thaw, 'thaw').call(this.#target.faults);
    this.#frozen = false;
  }

  async cut(): Promise<void> {
    await need(this.#target.faults?.cut, 'cut').call(this.#target.faults);
  }

  async abandon(transport: Transport): Promise<void> {
    await need(this.#target.faults?.abandon, 'abandon').call(this.#target.faults, transport);
  }

  async throttle(leastMs: number): Promise<number> {
    return need(this.#target.faults?.throttle, 'throttle').call(this.#target.faults, leastMs);
  }

  async trim(topic: string): Promise<void> {
    await need(this.#target.faults?.trim, 'trim').call(this.#target.faults, topic);
  }

  async inject(topic: string, bytes: Uint8Array | string): Promise<void> {
    const raw = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
    await need(this.#target.inject, 'inject').call(this.#target, topic, raw);
  }

  async residue(topic: string): Promise<readonly string[]> {
    return need(this.#target.residue, 'residue').call(this.#target, topic);
  }

  /** Ends what is still broken. */
  async restore(): Promise<void> {
    if (this.#frozen) await this.thaw();
    if (this.#down) await this.start();
  }
}

function need<Deed>(deed: Deed | undefined, name: string): Deed {
  if (deed === undefined) throw new ConformanceFailure(`the case uses the fault '${name}' without declaring it`);
  return deed;
}
