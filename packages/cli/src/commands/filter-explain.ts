import { type ExplainOptions, explainFilter } from '@polycast/core/filter';
import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { chooseVolume, type VolumeOptions } from '../filter/choose-volume.ts';
import { readEvents } from '../filter/read-events.ts';
import { FILTER_TARGETS, type FilterTargetName } from '../filter/targets.ts';
import { type Explained, showExplanations } from '../output/explanation.ts';
import { JSON_HELP, writeJson } from '../output/json-file.ts';
import { showCount } from '../output/numbers.ts';
import type { Terminal } from '../output/terminal.ts';
import { number, several } from '../parse-option.ts';

interface Options extends VolumeOptions {
  target?: FilterTargetName[];
  events?: string;
  integer?: string[];
  text?: string[];
  boolean?: string[];
  json?: string;
}

const TARGETS = Object.keys(FILTER_TARGETS) as FilterTargetName[];
const OTHERS = 'If a service has no filters (such as memory), the whole filter is evaluated in the subscriber process.';

export default defineCommand<Options>({
  examples: [
    [
      `polycast filter explain "type LIKE 'order.%' AND priority > 5"`,
      'what each broker evaluates, and what is evaluated locally',
    ],
    [`polycast filter explain "priority > 5" --integer priority`, 'publishers always write an integer there'],
    [
      `polycast filter explain "region = 'eu'" --target event-grid --events sample.jsonl`,
      'with what it saves, by a sample of events',
    ],
    [
      `polycast filter explain "region = 'eu'" --events sample.jsonl --publishes 5000000 --subscribers 40`,
      'for this many events per month',
    ],
  ],

  declare(command) {
    command
      .argument('<expression>', 'CESQL, or a dialect of the CloudEvents Subscriptions API as JSON')
      .option('--target <name>', `one of ${TARGETS.join(', ')}; may be repeated (default: all)`, targets)
      .option('--integer <attribute>', 'publishers write an integer there; may be repeated', several)
      .option('--text <attribute>', 'publishers write a string there; may be repeated', several)
      .option('--boolean <attribute>', 'publishers write a boolean there; may be repeated', several)
      .option('-e, --events <file>', 'a sample: CloudEvents as a JSON array or one per line; - is stdin')
      .option('-w, --workload <file>', 'what to price: a file, or a packaged workload (default: order-tracking)')
      .option('--publishes <n>', "publishes per month, instead of the workload's", number({ min: 0, max: 1e12 }))
      .option(
        '--subscribers <n>',
        "subscribers with this filter, instead of the workload's",
        number({ min: 1, max: 1e6, whole: true }),
      )
      .option(
        '--payload <bytes>',
        "bytes of data per event, instead of the workload's",
        number({ min: 0, max: 1e9, whole: true }),
      )
      .option('--json <file>', JSON_HELP)
      .addHelpText('after', '\nExit codes: 0 explained · 2 invalid filter or file');
  },

  async run([expression], options, terminal) {
    const events = options.events === undefined ? undefined : await readEvents(options.events, terminal);
    const how: ExplainOptions = { types: declaredTypes(options), ...(events !== undefined && { events }) };
    const names = options.target ?? TARGETS;
    const explained: Explained[] = names.map((name) => explainFilter(expression!, FILTER_TARGETS[name], how));
    const volume = events?.length ? await addSavings(explained, names, options, terminal) : undefined;
    if (options.json !== undefined) {
      const { filter, warnings } = explained[0]!;
      await writeJson(
        options.json,
        { filter, warnings, ...(volume && { volume }), targets: explained.map(own) },
        terminal,
      );
    }
    if (options.json !== '-') {
      terminal.stdout.write(showExplanations(explained, terminal));
      const notes = [
        ...(volume === undefined ? [] : [assumptions(volume, events!.length)]),
        ...(options.target === undefined ? [OTHERS] : []),
      ];
      if (notes.length > 0) terminal.stdout.write(`\n${notes.map((note) => terminal.colors.dim(note)).join('\n')}\n`);
    }
    return EXIT.ok;
  },
});

/** Prices are loaded where a sample says what there is to save. */
async function addSavings(
  explained: Explained[],
  names: readonly FilterTargetName[],
  options: Options,
  terminal: Terminal,
): Promise<Volume> {
  const [{ eventsPerMonth }, { savingsOf }, workload] = await Promise.all([
    import('@polycast/measure'),
    import('../filter/savings.ts'),
    chooseVolume(options, terminal),
  ]);
  for (const [at, each] of explained.entries()) {
    explained[at] = { ...each, savings: savingsOf(names[at]!, each.events!.kept, workload) };
  }
  const { name, subscribers, payloadBytes } = workload;
  return { workload: name, publishesPerMonth: eventsPerMonth(workload), subscribers, payloadBytes };
}

function targets(name: string, before: readonly FilterTargetName[] | undefined): readonly FilterTargetName[] {
  if (!Object.hasOwn(FILTER_TARGETS, name)) throw new InvalidArgumentError(`Available: ${TARGETS.join(', ')}.`);
  return [...new Set([...(before ?? []), name as FilterTargetName])];
}

function declaredTypes(options: Options): NonNullable<ExplainOptions['types']> {
  const types: Record<string, 'text' | 'integer' | 'boolean'> = {};
  for (const type of ['text', 'integer', 'boolean'] as const) {
    for (const attribute of options[type] ?? []) {
      const before = types[attribute];
      if (before !== undefined && before !== type) {
        throw new UsageError(`attribute "${attribute}" is declared both as ${before} and as ${type}`);
      }
      types[attribute] = type;
    }
  }
  return types;
}

/** What all targets have in common is said once. */
function own({ filter: _filter, warnings: _warnings, ...rest }: Explained): object {
  return rest;
}

function assumptions({ workload, publishesPerMonth, subscribers, payloadBytes }: Volume, sample: number): string {
  return (
    `Assumed: ${showCount(publishesPerMonth)} publishes per month of ${showCount(payloadBytes)} bytes to ${subscribers} subscribers ` +
    `(workload "${workload}"), each with this filter, and events like the ${showCount(sample)} of the sample.`
  );
}

/** The volume that prices are for. */
interface Volume {
  readonly workload: string;
  readonly publishesPerMonth: number;
  readonly subscribers: number;
  readonly payloadBytes: number;
}
