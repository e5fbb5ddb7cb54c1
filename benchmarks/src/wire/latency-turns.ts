import { type LatencyResult, type LatencySession, openLatency } from '@polycast/measure';
import { shuffled } from '../measurement/statistics.ts';
import type { WireWorkload } from './wire-workload.ts';

/** What one contender measured, a result a turn: the same turns for all of them. */
export type Turns = ReadonlyMap<string, readonly LatencyResult[]>;

/**
 * Latency of all contenders in turns, in processes that stay: a window of each, in a new order every turn. What the machine
 * does meanwhile falls on all alike, so ratios are taken turn by turn. Turns before the first that counts let the engine
 * compile: a contender with more code would otherwise be measured compiling.
 */
export async function measureInTurns(
  contenders: readonly { readonly name: string; readonly module: URL }[],
  { latency, payloadBytes }: WireWorkload,
  url: string,
  onTurn: (turn: number, of: number) => void,
  onFailure: (name: string, error: unknown) => void,
): Promise<Turns> {
  const { rate, windowS, warmUpTurns, turns } = latency;
  const open = new Map<string, LatencySession>();
  const results = new Map<string, LatencyResult[]>();
  const setting = {
    rate,
    durationS: windowS,
    warmUpS: windowS / 10,
    payloadBytes,
    throughputS: 0,
    subscribers: 1,
    url,
  };
  try {
    for (const { name, module } of contenders) {
      await openLatency({ ...setting, driver: module }).then(
        (session) => open.set(name, session),
        (error: unknown) => onFailure(name, error),
      );
    }
    for (let turn = 1; turn <= warmUpTurns + turns; turn += 1) {
      onTurn(turn, warmUpTurns + turns);
      for (const [name, session] of shuffled([...open])) {
        try {
          const result = await session.measure();
          if (turn > warmUpTurns) results.set(name, [...(results.get(name) ?? []), result]);
        } catch (error) {
          onFailure(name, error);
          open.delete(name);
          results.delete(name);
          await session.close();
        }
      }
    }
    return results;
  } finally {
    await Promise.all([...open.values()].map((session) => session.close()));
  }
}
