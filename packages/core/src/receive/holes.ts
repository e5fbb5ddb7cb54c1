import { EVERYONE } from '../contract/address.ts';
import type { Encoded, Outgoing as OutgoingOf } from '../contract/transport.ts';
import { formatSequence, type SequenceGenerator } from '../publish/sequence-generator.ts';

type Outgoing = OutgoingOf<Encoded | undefined>;

/** An event that the transport has not taken, as far as its publisher knows. */
export interface Unsent {
  outgoing: Outgoing;
  /** A try of it had no answer: the transport may have taken it, number and all. */
  readonly mayBeOut: boolean;
}

/**
 * Numbers of events that the transport refused go to those that wait behind them: receivers must not miss what their publisher
 * was told is not sent. A number is given away only if it and every later one of its lane provably never left us.
 *
 * @param refused rejected towards their publisher, and surely not taken
 * @param unsent all that waits, in the order in which it will be sent
 * @param renumber the event under another number
 */
export function closeHoles(
  refused: readonly Outgoing[],
  unsent: readonly Unsent[],
  sequences: SequenceGenerator,
  renumber: (outgoing: Outgoing, sequence: string) => Outgoing,
): void {
  const lanes = new Map<string, { here: Set<number>; waiting: Unsent[] }>();
  for (const outgoing of refused) {
    const number = sequences.numberOf(outgoing.event);
    if (number === 0) continue;
    const lane = lanes.get(laneOf(outgoing));
    if (lane === undefined) lanes.set(laneOf(outgoing), { here: new Set([number]), waiting: [] });
    else lane.here.add(number);
  }
  if (lanes.size === 0) return;
  for (const entry of unsent) {
    const number = entry.mayBeOut ? 0 : sequences.numberOf(entry.outgoing.event);
    const lane = number === 0 ? undefined : lanes.get(laneOf(entry.outgoing));
    lane?.here.add(number);
    lane?.waiting.push(entry);
  }
  for (const [name, { here, waiting }] of lanes) {
    let next = sequences.last(name) + 1;
    while (here.has(next - 1)) next--;
    for (const entry of waiting) {
      if (sequences.numberOf(entry.outgoing.event) < next) continue;
      entry.outgoing = renumber(entry.outgoing, formatSequence(sequences.epoch, next++));
    }
    sequences.rewind(name, next);
  }
}

/** The list of addresses whose events are numbered together. */
function laneOf({ event }: Outgoing): string {
  return typeof event.to === 'string' ? event.to : EVERYONE;
}
