import { appendFile } from 'node:fs/promises';
import {
  type Broadcaster,
  connect,
  type Delivery,
  type FilterTree,
  type StartPosition,
  type SubscribeOptions,
} from '@polycast/core';
import { nearest } from '@polycast/core/configuration';
import { parseFilter } from '@polycast/core/filter';
import { type Choice, connectChoice, declareChoice, readingChoice } from '../choice.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { eventLine, prettyEvent } from '../output/event-line.ts';
import { writeText } from '../output/json-file.ts';
import { describeSignal } from '../output/signal-line.ts';
import type { Terminal } from '../output/terminal.ts';
import { attributes, number } from '../parse-option.ts';
import { rehearse } from '../rehearse.ts';

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
  create?: boolean;
  json?: string;
}

export default defineCommand<Options>({
  examples: [
    ['polycast sub --url redis://localhost:6379', 'every event on the topic "default"'],
    ['polycast sub --role kitchen --topic orders', 'events for everyone and for role:kitchen'],
    ['polycast sub --where type=order.moved | jq .data', 'one type, as JSON lines'],
    [`polycast sub --filter "type LIKE 'order.%' AND priority > 5"`, 'events matching a CESQL expression'],
    ['polycast sub --url redis+streams://localhost --from earliest', 'including what was published before'],
    ['polycast sub --group billing', 'share the events with others of the group'],
  ],

  declare(command) {
    declareChoice(command)
      .option('-t, --topic <topic>', 'topic to subscribe to', 'default')
      .option('--role <name>', 'role of the subscriber: receives events for this role', 'cli')
      .option('--instance <name>', 'instance id of the subscriber: receives events for this instance (default: random)')
      .option('--group <name>', 'competing consumers: each event goes to one member of the group')
      .option('--durable [name]', 'keep the subscription after this process has ended; needs --instance or --group')
      .option('--from <position>', 'new, earliest, a time (2026-11-21T10:00:00Z) or a position', 'new')
      .option('--where <attribute=value>', 'only events with this attribute; may be repeated', attributes)
      .option('--filter <expression>', 'only events matching this CESQL expression (see polycast filter explain)')
      .option('--create', 'create the topic if it does not exist (Service Bus)')
      .option('-c, --count <n>', 'exit after this many events', number({ min: 1, max: 1e9, whole: true }))
      .option(
        '--json <file>',
        'write events as JSON lines (CloudEvents) to this file; - is stdout, even on a terminal',
      );
  },

  async run(_args, options, terminal) {
    const { topic, role, instance } = options;
    const subscribe = subscribeOptions(options);
    const self = instance === undefined ? { role } : { role, instance };
    const { startFrom: _, durable: _durable, ...portable } = subscribe;
    await rehearse(topic, self, (broadcaster) => broadcaster.subscribe(() => {}, portable));
    await using broadcaster = await connect({
      ...(await (options.create
        ? connectChoice(options, terminal)
        : readingChoice(options, terminal, 'subscriptions'))),
      topic,
      self,
      onSignal: (signal) => terminal.stderr.write(`${describeSignal(signal, terminal)}\n`),
    });
    // Made before anything is received: what cannot be kept must not be taken.
    const file =
      options.json === undefined || options.json === '-' ? undefined : await writeText(options.json, '', terminal);
    await printEvents(broadcaster, subscribe, options, file, terminal);
    await broadcaster.close({ drainMs: 0 });
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
    if (left <= 0) {
      delivery.release();
      return;
    }
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
  // What has not been shown goes back to the service: nobody waits for it after Ctrl-C.
  await subscription.close(terminal.interrupted.aborted ? { drainMs: 0 } : {});
}

function subscribeOptions({ group, durable, from, where, filter, instance }: Options): SubscribeOptions {
  if (durable !== undefined && instance === undefined && group === undefined) {
    throw new UsageError('--durable requires --instance or --group: the name to resume under');
  }
  return {
    startFrom: startPosition(from),
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

/** @throws UsageError for what is meant as a time or a word and is none: taken for a position, it could replay everything */
function startPosition(text: string): StartPosition {
  if (text === 'new' || text === 'earliest') return text;
  const timeMs = readTime(text);
  if (timeMs !== undefined) return { timeMs };
  // A position holds digits, and no date or time of day.
  if (/\d/.test(text) && !/^\d{1,4}[-/.]\d{1,2}[-/.]\d|\d:\d|\s/.test(text)) return { after: text };
  const [near] = nearest(text, ['new', 'earliest']);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  throw new UsageError(
    `--from ${JSON.stringify(text)} is not a valid position${hint}; use new, earliest, a time such as 2026-11-21T10:00:00Z, or the position of an event`,
  );
}

/** RFC 3339, or a date alone, which is its beginning in UTC. Undefined for days and hours that do not exist. */
function readTime(text: string): number | undefined {
  const [, year, month, day] =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/i.exec(text) ?? [];
  if (year === undefined) return undefined;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function latch(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
