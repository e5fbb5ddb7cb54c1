import { type BroadcastEvent, PolycastError, type Signal, type Transport } from '@polycast/core';
import type { Lease, Sink } from '@polycast/core/adapter';
import { memory } from '@polycast/memory';
import { describe, expect, test } from 'vitest';
import { CASES, type ConformanceTarget, runConformance } from '../src/index.ts';
import { MUTANTS } from '../src/mutants/index.ts';

type Make = () => Transport;

let hubs = 0;

/**
 * The memory transport on a hub of its own, made a little more like a remote service: it takes batches, it can be
 * down, and it tells which sources are open.
 */
function target(breed: (make: Make) => Make): ConformanceTarget {
  const hub = `mutants-${++hubs}`;
  const service: Service = { isDown: false, pauseMs: 0, sources: new Map(), forgetful: new Set() };
  return {
    name: 'memory',
    transport: breed(() => serviceLike(memory({ hub }), service)),
    residue: async (topic) => Array.from({ length: service.sources.get(topic) ?? 0 }, (_, n) => `source ${n}`),
    faults: {
      async kill() {
        service.isDown = true;
      },
      async start() {
        service.isDown = false;
      },
      async trim(topic) {
        for (const one of service.forgetful) if (one.topic === topic) one.signalLoss();
      },
      async throttle(leastMs) {
        service.pauseMs = leastMs;
        return leastMs;
      },
    },
  };
}

interface Service {
  isDown: boolean;
  /** How long it asks the next publish to wait, ms. */
  pauseMs: number;
  readonly sources: Map<string, number>;
  readonly forgetful: Set<Forgetful>;
}

/** What its subscription does not take at once is lost, which it signals when it is asked to: the service trims what it keeps. */
class Forgetful implements Sink {
  readonly capacity = 1_000;
  readonly topic: string;
  readonly #sink: Sink;
  #hasLost = false;

  constructor(sink: Sink, topic: string) {
    this.#sink = sink;
    this.topic = topic;
  }

  async ready(): Promise<void> {}

  deliver(event: BroadcastEvent, lease?: Lease): boolean {
    if (this.#sink.capacity > 0) return this.#sink.deliver(event, lease);
    this.#hasLost = true;
    void lease?.settle({ kind: 'accept' });
    return true;
  }

  signalLoss(): void {
    if (this.#hasLost) this.signal({ kind: 'gap', reason: 'trimmed' });
  }

  signal(signal: Signal): void {
    this.#sink.signal(signal);
  }

  corrupt(error: PolycastError): void {
    this.#sink.corrupt(error);
  }

  failed(error: PolycastError): void {
    this.#sink.failed(error);
  }
}

function serviceLike(transport: Transport, service: Service): Transport {
  const { manifest } = transport;
  return {
    manifest: { ...manifest, limits: { ...manifest.limits, maxBatchEvents: 25, maxBatchesInFlight: 1 } },
    location: transport.location,
    async open(context) {
      const link = await transport.open(context);
      const count = (by: number) => service.sources.set(context.topic, (service.sources.get(context.topic) ?? 0) + by);
      return {
        async publish(batch) {
          if (service.isDown) throw new PolycastError('unreachable', 'the service is down');
          if (service.pauseMs > 0) {
            const retryAfterMs = service.pauseMs;
            service.pauseMs = 0;
            throw new PolycastError('throttled', 'the service is busy', { retryAfterMs });
          }
          await Promise.all(batch.map((one) => link.publish([one])));
        },
        ...(link.members === undefined ? {} : { members: () => link.members!() }),
        close: () => link.close(),
        async subscribe(request, sink) {
          const forgetful = request.group?.endsWith('/slow') ? new Forgetful(sink, context.topic) : undefined;
          if (forgetful !== undefined) service.forgetful.add(forgetful);
          const source = await link.subscribe(request, forgetful ?? sink);
          count(1);
          let open = true;
          return {
            stop: () => source.stop(),
            async close() {
              if (open) count(-1);
              if (forgetful !== undefined) service.forgetful.delete(forgetful);
              open = false;
              await source.close();
            },
          };
        },
      };
    },
  };
}

const options = {
  tryUnclaimed: false,
  patienceMs: 400,
  quietMs: 10,
  caseTimeoutMs: 1_500,
  seed: 1,
  concurrency: 40,
} as const;

describe('each mutant is caught, by name', () => {
  for (const mutant of MUTANTS) {
    const only = mutant.caughtBy;
    test(`${mutant.name}: ${mutant.wrong}`, async () => {
      const cases = CASES.filter(({ id }) => only.some((prefix) => id.startsWith(prefix)));
      expect(cases, 'the cases it names').not.toEqual([]);
      const sound = await runConformance(
        target((make) => make),
        // What is sound passes soon, unless the machine is busy.
        { ...options, patienceMs: 5_000, caseTimeoutMs: 20_000, cases },
      );
      const broken = await runConformance(target(mutant.breed), { ...options, cases });
      const fine = new Set(sound.cases.filter(({ status }) => status === 'passed').map(({ id }) => id));
      const caught = broken.cases.filter(({ id, status }) => status === 'failed' && fine.has(id)).map(({ id }) => id);
      for (const prefix of only) {
        expect(
          caught.filter((id) => id.startsWith(prefix)),
          `cases ${prefix}* that catch it`,
        ).not.toEqual([]);
      }
    });
  }
});
