import { appendFile } from 'node:fs/promises';
import {
  type Broadcaster,
  connect,
  type Delivery,
  type FilterTree,
  parseFilter,
  type StartPosition,
  type SubscribeOptions,
} from '@polycast/core';
import { type Choice, connectChoice, declareChoice } from '../choice.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { eventLine, prettyEvent } from '../output/event-line.ts';
import { writeText } from '../output/json-file.ts';
import { describeSignal } from '../output/signal-line.ts';
import type { Terminal } from '../output/terminal.ts';
import { attributes, number } from '../parse-option.ts';

interface Options extends Choice {
  topic: string;
  role: string;
  instance?: string;
  group?: string;
  durable?: string | true;
  from: string;
  where?: Record<string, string>;
  filter?: string;
  count?: number;
  json?: string;
}

export default defineCommand<Options>({
  examples: [
    ['polycast sub --url redis://localhost:6379', 'everything on the topic "default"'],
    ['polycast sub --role kitchen --topic orders', 'what is for everyone, and for role:kitchen'],
    ['polycast sub --where type=order.moved | jq .data', 'one type, as JSON lines'],
    [`polycast sub --filter "type LIKE 'order.%' AND priority > 5"`, 'what passes a CESQL expression'],
    ['polycast sub --url redis+streams://localhost --from earliest', 'with what was published before'],
    ['polycast sub --group billing', 'share the events with others of the group'],
  ],

  declare(command) {
    declareChoice(command)
      .option('-t, --topic <topic>', 'the space participants share', 'default')
      .option('--role <name>', 'who listens: events for this role arrive', 'cli')
      .option('--instance <name>', 'who listens: events for this instance arrive (default: a random one)')
      .option('--group <name>', 'competing consumers: one member of the group gets each event')
      .option('--durable [name]', 'a subscription that outlives this process; needs --instance or --group')
      .option('--from <position>', 'new, earliest, a time (2026-11-21T10:00:00Z) or a position', 'new')
      .option('--where <attribute=value>', 'only events with this attribute; may be repeated', attributes)
      .option('--filter <expression>', 'only events that pass, in CESQL (see polycast filter explain)')
      .option('-c, --count <n>', 'end after this many events', number({ min: 1, max: 1e9, whole: true }))
      .option('--json <file>', 'JSON lines (CloudEvents) to this file as they come; - is stdout, also on a screen');
  },

  async run(_args, options, terminal) {
    const { topic, role, instance } = options;
    const subscribe = subscribeOptions(options);
    // Made before anything is received: what cannot be kept must not be taken.
    const file =
      options.json === undefined || options.json === '-' ? undefined : await writeText(options.json, '', terminal);
    await using broadcaster = await connect({
      ...(await connectChoice(options)),
      topic,
      self: instance === undefined ? { role } : { role, instance },
      onSignal: (signal) => terminal.stderr.write(`${describeSignal(signal, terminal)}\n`),
    });
    await printEvents(broadcaster, subscribe, options, file, terminal);
    await broadcaster.close();
    return EXIT.ok;
  },
});

/** Prints until enough, or until Ctrl-C: then what was already received is still printed. */
async function printEvents(
  broadcaster: Broadcaster,
  subscribe: SubscribeOptions,
  options: Options,
  file: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const { stdout, stderr, interrupted, screen, colors } = terminal;
  const pretty = screen && options.json === undefined;
  let left = options.count ?? Number.POSITIVE_INFINITY;
  const enough = latch();
  const end = () => enough.open();
  const subscription = await broadcaster.subscribe(async (event, delivery: Delivery) => {
    if (left <= 0) return delivery.release();
    left--;
    const line = eventLine(event);
    if (file !== undefined) await appendFile(file, line);
    // Waiting for a slow reader is what makes back-pressure reach the transport.
    if (!stdout.write(pretty ? prettyEvent(event, delivery, colors) : line)) {
      await new Promise<void>((resolve) => stdout.once('drain', resolve));
    }
    if (left <= 0) end();
  }, subscribe);

  stderr.write(`${colors.dim(`listening on ${broadcaster.topic} as ${broadcaster.self.instance} (Ctrl-C ends)`)}\n`);
  if (interrupted.aborted) end();
  else interrupted.addEventListener('abort', end, { once: true });
  // Polycast itself keeps no process alive, and memory: has no connection that would.
  const alive = setInterval(() => {}, 60_000);
  await enough.opened;
  clearInterval(alive);
  await subscription.close();
}

function subscribeOptions({ group, durable, from, where, filter, instance }: Options): SubscribeOptions {
  if (durable !== undefined && instance === undefined && group === undefined) {
    throw new UsageError('--durable needs a name to come back under: give --instance or --group');
  }
  return {
    from: startPosition(from),
    ...(group !== undefined && { group }),
    ...(durable !== undefined && { durable }),
    ...((where !== undefined || filter !== undefined) && { filter: bothOf(where, filter) }),
  };
}

/** Read here, so that a mistake is told before anything connects. */
function bothOf(where: Options['where'], filter: string | undefined): FilterTree {
  const [first, second] = [
    ...(where === undefined ? [] : [parseFilter({ exact: where })]),
    ...(filter === undefined ? [] : [parseFilter(filter)]),
  ];
  return second === undefined ? first! : { kind: 'and', of: [first!, second] };
}

function startPosition(text: string): StartPosition {
  if (text === 'new' || text === 'earliest') return text;
  const timeMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timeMs) ? { after: text } : { timeMs };
}

function latch(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
