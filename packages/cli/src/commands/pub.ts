import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Address,
  type Broadcaster,
  checkAddress,
  connect,
  type EventInput,
  type PublishOptions,
} from '@polycast/core';
import { type Choice, connectChoice, declareChoice } from '../choice.ts';
import { defineCommand } from '../command.ts';
import { EXIT, Interrupted, UsageError } from '../exit-code.ts';
import { JSON_HELP, writeJson } from '../output/json-file.ts';
import { showCount } from '../output/numbers.ts';
import { describeSignal } from '../output/signal-line.ts';
import type { Terminal } from '../output/terminal.ts';
import { attributes, duration, number, several } from '../parse-option.ts';
import { rehearse } from '../rehearse.ts';

interface Options extends Choice {
  topic: string;
  type: string;
  to?: string[];
  ttl?: number;
  key?: string;
  subject?: string;
  attribute?: Record<string, string>;
  count: number;
  rate?: number;
  role: string;
  instance?: string;
  json?: string;
}

export default defineCommand<Options>({
  examples: [
    [`polycast pub --url redis://localhost:6379 '{"order":1}'`, 'one event, to everyone'],
    ['polycast pub --to role:kitchen --type order.moved 42', 'to one role'],
    ['polycast pub --to instance:a --to instance:b hello', 'several addresses: once per recipient'],
    ['tail -f orders.jsonl | polycast pub', 'one event per line of standard input'],
    ['polycast pub --count 1000 --rate 100 hello', 'a thousand, a hundred a second'],
  ],

  declare(command) {
    declareChoice(
      command.argument(
        '[data]',
        'JSON, or any string; if omitted, each non-empty line of standard input is published as an event',
      ),
    )
      .option('-t, --topic <topic>', 'topic to publish to', 'default')
      .option('--type <type>', 'CloudEvents type', 'polycast-cli.message')
      .option(
        '--to <address>',
        '* (everyone), role:<name> or instance:<name>; may be repeated (default: everyone)',
        several,
      )
      .option(
        '--ttl <time>',
        'time to live; not delivered after this time: 500ms, 30s, 10m, forever (default: 10m)',
        duration,
      )
      .option('--key <key>', 'partition key: events with the same key stay in order')
      .option('--subject <subject>', 'CloudEvents subject')
      .option('--attribute <name=value>', 'an extension attribute; may be repeated', attributes)
      .option('-c, --count <n>', 'publish this many times', number({ min: 1, max: 1e9, whole: true }), 1)
      .option(
        '--rate <n>',
        'maximum events per second (default: as fast as the transport accepts them)',
        number({ min: 0.001, max: 1e6 }),
      )
      .option('--role <name>', 'role of the publisher', 'cli')
      .option('--instance <name>', 'instance id of the publisher (default: random)')
      .option('--json <file>', JSON_HELP);
  },

  async run([data], options, terminal) {
    if (data === undefined && terminal.stdin.isTTY) {
      throw new UsageError('nothing to publish: give the data as an argument, or events as lines of standard input');
    }
    const publish = publishOptions(options);
    const { topic, role, instance } = options;
    const self = instance === undefined ? { role } : { role, instance };
    await rehearse(topic, self, (broadcaster) => broadcaster.publish(makeEvent(data ?? '', options), publish));
    await using broadcaster = await connect({
      ...(await connectChoice(options, terminal)),
      topic,
      self,
      onSignal: (signal) => terminal.stderr.write(`${describeSignal(signal, terminal)}\n`),
    });
    const startedAt = performance.now();
    const published = await publishAll(broadcaster, data, options, publish, terminal);
    await broadcaster.close();

    const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
    if (options.json !== undefined) await writeJson(options.json, { topic, published, durationMs }, terminal);
    if (options.json !== '-') {
      terminal.stderr.write(`${showCount(published)} published on ${topic} in ${Math.round(durationMs)} ms\n`);
    }
    if (terminal.interrupted.aborted) throw new Interrupted();
    return EXIT.ok;
  },
});

/** How many publishes may wait for the transport at once: enough to fill batches, few enough to stop soon. */
const WINDOW = 512;

async function publishAll(
  broadcaster: Broadcaster,
  data: string | undefined,
  options: Options,
  publish: PublishOptions,
  { stdin, interrupted }: Terminal,
): Promise<number> {
  let published = 0;
  let failure: unknown;
  const waiting = new Set<Promise<void>>();
  const lines = data === undefined ? createInterface({ input: stdin, signal: interrupted }) : [data];
  const startedAt = performance.now();
  let begun = 0;
  for await (const line of lines) {
    if (line === '' && data === undefined) continue;
    for (let time = 0; time < options.count && failure === undefined && !interrupted.aborted; time++) {
      if (options.rate !== undefined) {
        const dueMs = startedAt + (begun * 1_000) / options.rate - performance.now();
        if (dueMs > 0) await delay(dueMs, undefined, { signal: interrupted }).catch(() => {});
        if (interrupted.aborted) break;
      }
      begun++;
      // A transport in this process answers without ever letting Ctrl-C through.
      if (begun % WINDOW === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      const sending: Promise<void> = broadcaster.publish(makeEvent(line, options), publish).then(
        () => {
          published++;
          waiting.delete(sending);
        },
        (error: unknown) => {
          failure ??= error;
          waiting.delete(sending);
        },
      );
      waiting.add(sending);
      if (waiting.size >= WINDOW) await Promise.race(waiting);
    }
    if (failure !== undefined || interrupted.aborted) break;
  }
  await Promise.all(waiting);
  if (failure !== undefined) throw failure;
  return published;
}

function publishOptions({ to, ttl, key }: Options): PublishOptions {
  return {
    ...(to !== undefined && { to: to.map((address): Address => checkAddress(address)) }),
    ...(ttl !== undefined && { ttlMs: ttl }),
    ...(key !== undefined && { partitionKey: key }),
  };
}

function makeEvent(text: string, { type, subject, attribute }: Options): EventInput {
  return { ...attribute, type, data: readData(text), ...(subject !== undefined && { subject }) };
}

/** JSON if it is JSON, else the text itself: `pub hello` and `pub '{"a":1}'` both do what they look like. */
function readData(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
