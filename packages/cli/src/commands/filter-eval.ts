import { evaluateFilter, parseFilter } from '@polycast/core/filter';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { readEvents } from '../filter/read-events.ts';
import { JSON_HELP, writeJson } from '../output/json-file.ts';
import { verdictTable } from '../output/verdict-table.ts';

interface Options {
  event?: string;
  json?: string;
}

export default defineCommand<Options>({
  examples: [
    [`polycast filter eval "type LIKE 'order.%'" --event event.json`, 'whether an event passes; exit code 0: yes'],
    [`cat events.jsonl | polycast filter eval "priority > 5" --event -`, 'each event of standard input'],
    [
      `polycast filter eval '{"exact":{"type":"order.moved"}}' --event events.json`,
      'a dialect of the Subscriptions API',
    ],
  ],

  declare(command) {
    command
      .argument('<expression>', 'CESQL, or a dialect of the CloudEvents Subscriptions API as JSON')
      .option('-e, --event <file>', 'required: a CloudEvent as JSON, an array of them, or one per line; - is stdin')
      .option('--json <file>', JSON_HELP)
      .addHelpText('after', '\nExit codes: 0 every event passes · 1 at least one does not · 2 invalid filter or file');
  },

  async run([expression], options, terminal) {
    if (options.event === undefined) throw new UsageError('--event <file> is required; - reads standard input');
    // Read once, so that a mistake in it is one error and not a verdict on each event.
    const filter = parseFilter(expression!);
    const events = await readEvents(options.event, terminal);
    const verdicts = events.map((event) => {
      const { value, error } = evaluateFilter(filter, event);
      return {
        ...(typeof event.id === 'string' && { id: event.id }),
        ...(typeof event.type === 'string' && { type: event.type }),
        passes: error === undefined && value === true,
        value,
        ...(error !== undefined && { error }),
      };
    });
    if (options.json !== undefined) await writeJson(options.json, verdicts, terminal);
    if (options.json !== '-') terminal.stdout.write(verdictTable(verdicts, terminal));
    return verdicts.every(({ passes }) => passes) ? EXIT.ok : EXIT.failed;
  },
});
