import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Order, Scenario, SideReport, WireWorkload } from './wire-workload.ts';

/** One run of one scenario. Times and CPU are raw: the calibration says how slow the machine was. */
export interface WireRun {
  readonly perSecond: number;
  /** CPU µs a message, by process. */
  readonly publisherUs: number;
  readonly subscriberUs: number;
  readonly serverUs: number;
  readonly calibrationUs: number;
}

/** Longest wait for any answer: a contender that lost a message never answers. */
const TIMEOUT_MS = 60_000;

/** The server that a contender's two sides meet at. */
export interface WireServer {
  readonly url: string;
  /** CPU time of its process so far, µs. */
  cpuUs(): Promise<number>;
}

/** All runs of one scenario in a pair of fresh processes. */
export async function runScenario(
  module: URL,
  server: WireServer,
  scenario: Scenario,
  workload: WireWorkload,
): Promise<WireRun[]> {
  const topic = `bench-${randomUUID()}`;
  const subscriber = await Side.start('subscriber', module, server.url, topic);
  let publisher: Side | undefined;
  try {
    publisher = await Side.start('publisher', module, server.url, topic);
    const { payloadBytes } = workload;
    const once = async (messages: number): Promise<WireRun> => {
      await subscriber.ask({ do: 'await', messages });
      const before = await server.cpuUs();
      const lastCame = subscriber.answer<SideReport>();
      const sent = await publisher!.ask<SideReport>({ do: 'run', scenario: { ...scenario, messages }, payloadBytes });
      const came = await lastCame;
      const after = await server.cpuUs();
      return {
        perSecond: (messages / (came.atMs - sent.atMs)) * 1000,
        publisherUs: sent.cpuUs / messages,
        subscriberUs: came.cpuUs / messages,
        serverUs: (after - before) / messages,
        calibrationUs: (sent.calibrationUs + came.calibrationUs) / 2,
      };
    };
    await once(scenario.warmUp);
    const runs: WireRun[] = [];
    for (let run = 0; run < workload.runs; run += 1) runs.push(await once(scenario.messages));
    return runs;
  } finally {
    subscriber.stop();
    publisher?.stop();
  }
}

class Side {
  readonly #child: ChildProcess;
  readonly #name: string;
  #errors = '';

  private constructor(side: string, module: URL, url: string, topic: string) {
    this.#name = `${side} of ${module.pathname.split('/').at(-1)}`;
    this.#child = fork(new URL('./wire-process.js', import.meta.url), [side, module.href, url, topic], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr!.on('data', (bytes: Buffer) => {
      this.#errors = (this.#errors + bytes).slice(-1_000);
    });
  }

  static async start(side: string, module: URL, url: string, topic: string): Promise<Side> {
    const started = new Side(side, module, url, topic);
    await started.answer();
    return started;
  }

  ask<Answer>(order: Order): Promise<Answer> {
    const answer = this.answer<Answer>();
    this.#child.send(order);
    return answer;
  }

  /** The next message. */
  answer<Answer>(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
      };
      const onMessage = (message: unknown) => {
        done();
        resolve(message as Answer);
      };
      const fail = (why: string) => {
        done();
        reject(new Error(`${this.#name}: ${why} ${this.#errors}`));
      };
      const onExit = () => fail('ended early');
      const timer = setTimeout(() => fail(`no answer in ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS);
      this.#child.on('message', onMessage);
      this.#child.on('exit', onExit);
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
