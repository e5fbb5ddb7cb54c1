import { type ErrorCode, PolycastError } from '@polycast/core/adapter';
import type { Clock } from './clock.ts';
import type { Fault, FaultyCall } from './history.ts';
import type { Trace } from './trace.ts';

/** How long a call takes to reach the service, and its answer to come back, ms. */
const THERE_MS = 1;
const BACK_MS = 0.5;
/** Calls within one turn of the event loop after which it is taken for endless. */
const MAX_CALLS_A_TURN = 3_000;

/** One participant's connection: what is called through it may be late, refused, unanswered or cut off. */
export class Connection {
  readonly #clock: Clock;
  readonly #trace: Trace;
  readonly #armed = new Map<FaultyCall, Fault[]>();
  readonly #underWay = new Set<(error: PolycastError) => void>();
  state: 'up' | 'down' | 'closed' | 'crashed' = 'up';
  /** Rises with each cut: what was sent before does not arrive. */
  generation = 0;
  #callsThisTurn = 0;
  #countedTurn = -1;
  /** Batches are taken in the order sent. */
  #lastTakenAtMs = 0;

  constructor(clock: Clock, trace: Trace) {
    this.#clock = clock;
    this.#trace = trace;
  }

  arm(call: FaultyCall, fault: Fault): void {
    const list = this.#armed.get(call);
    if (list === undefined) this.#armed.set(call, [fault]);
    else list.push(fault);
  }

  disarm(): void {
    this.#armed.clear();
  }

  /** The fault that the next such call meets, if any. */
  faultOf(call: FaultyCall): Fault | undefined {
    const fault = this.#armed.get(call)?.shift();
    if (fault !== undefined) this.#trace.faults.add(`${call}:${fault.how}`);
    return fault;
  }

  /** Calls the service. @param perform what it does when the call arrives; not called if it never does */
  call<Value>(call: FaultyCall, perform: (fault: Fault | undefined) => Value): Promise<Value> {
    if (this.#isEndless()) return new Promise(() => {});
    const fault = this.faultOf(call);
    if (fault?.how === 'throw') throw new PolycastError('throttled', 'thrown within the call');
    return new Promise<Value>((resolve, reject) => {
      const isRefused = fault?.how === 'refuse';
      let isOver = false;
      const end = (deed: () => void) => {
        if (isOver) return;
        isOver = true;
        this.#underWay.delete(cutOff);
        if (this.state !== 'crashed') deed();
      };
      const cutOff = (error: PolycastError) => end(() => reject(error));
      this.#underWay.add(cutOff);
      if (this.state !== 'up') {
        this.#clock.after(THERE_MS, () => cutOff(refusal(this.state === 'closed' ? 'closed' : 'unreachable')));
        return;
      }
      const { generation } = this;
      let arrivesAtMs = this.#clock.nowMs + THERE_MS + (fault?.how === 'late' ? fault.byMs : 0);
      if (call === 'publish') {
        arrivesAtMs = Math.max(arrivesAtMs, this.#lastTakenAtMs);
        this.#lastTakenAtMs = arrivesAtMs;
      }
      this.#clock.after(arrivesAtMs - this.#clock.nowMs, () => {
        if (this.generation !== generation || this.state === 'crashed') return;
        if (isRefused) return cutOff(refusal(fault.isFinal ? 'unauthorized' : 'throttled'));
        if (fault?.how === 'never' && !fault.isTaken) return;
        let value: Value;
        try {
          value = perform(fault);
        } catch (thrown) {
          return cutOff(thrown as PolycastError);
        }
        if (fault?.how === 'never') return;
        this.#clock.after(BACK_MS, () =>
          fault?.how === 'lose-answer' ? cutOff(refusal('timeout')) : end(() => resolve(value)),
        );
      });
    });
  }

  /** What is under way ends without an answer. */
  cut(): void {
    this.generation++;
    const error = new PolycastError('disconnected', 'the connection was cut');
    for (const cutOff of [...this.#underWay]) cutOff(error);
  }

  #isEndless(): boolean {
    if (this.#countedTurn !== this.#clock.turns) {
      this.#countedTurn = this.#clock.turns;
      this.#callsThisTurn = 0;
    }
    if (++this.#callsThisTurn <= MAX_CALLS_A_TURN) return false;
    if (this.#callsThisTurn === MAX_CALLS_A_TURN + 1) {
      this.#trace.wrong.push(`endless: ${MAX_CALLS_A_TURN} calls of the service within one turn`);
    }
    return true;
  }
}

export function refusal(code: ErrorCode): PolycastError {
  return new PolycastError(code, 'the simulated service says so');
}
