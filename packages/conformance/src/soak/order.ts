import type { Address } from '@polycast/core';
import type { PlannedSubscription } from './plan.ts';

/** In the environment of a participant: how much its wall clock differs, ms. */
export const CLOCK_VARIABLE = 'POLYCAST_SOAK_CLOCK_MS';

/** What a participant process is told to do. */
export type Order =
  | {
      readonly do: 'join';
      readonly life: string;
      readonly process: string;
      /** A module that exports `fromUrl`. */
      readonly module: string;
      readonly url: string;
      readonly topic: string;
      readonly instance: string;
      readonly role: string;
      /** A defect put around the transport: the soak's own test. */
      readonly mutant?: string;
    }
  | { readonly do: 'leave'; readonly life: string }
  | ({
      readonly do: 'subscribe';
      readonly life: string;
      readonly sub: string;
      readonly seed: number;
      readonly lockMs: number;
    } & PlannedSubscription)
  | { readonly do: 'close' | 'pause' | 'resume'; readonly sub: string }
  | {
      readonly do: 'publish';
      readonly life: string;
      readonly events: readonly PlannedEvent[];
      readonly oneByOne: boolean;
    }
  /** Handlers behave from now on, and those that hang return. */
  | { readonly do: 'calm' }
  /** The wall clock differs by so much from now on. */
  | { readonly do: 'clock'; readonly offsetMs: number }
  | { readonly do: 'ping'; readonly id: number }
  /** Says what has been computed so far. */
  | { readonly do: 'usage'; readonly id: number }
  /** Lets go of the parent: with nothing left open the process ends by itself. */
  | { readonly do: 'end'; readonly withinMs: number };

export interface PlannedEvent {
  readonly n: number;
  readonly copy: number;
  readonly id?: string;
  readonly to: readonly Address[];
  readonly key?: string;
  readonly ttlMs?: number;
  readonly size: number;
  readonly carbonCopy: boolean;
  readonly marker?: boolean;
}

/** What a participant process writes beside entries of the record. */
export type Answer =
  | { readonly what: 'pong'; readonly id: number; readonly at: number }
  | { readonly what: 'usage'; readonly id: number; readonly at: number; readonly cpuMs: number }
  /** It was told to end and lives on. @see process.getActiveResourcesInfo */
  | { readonly what: 'kept'; readonly by: readonly string[]; readonly at: number };
