import { Option } from 'commander';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { costTable } from '../output/cost-table.ts';
import { JSON_HELP, writeJson } from '../output/json-file.ts';
import { several } from '../parse-option.ts';
import { chooseWorkload } from '../workload-choice.ts';

interface Options {
  workload?: string;
  service?: string[];
  region?: string;
  tiers: 'cheapest' | 'all';
  prices?: string[];
  lines?: boolean;
  list?: boolean;
  json?: string;
}

export default defineCommand<Options>({
  examples: [
    ['polycast cost', 'the order-tracking workload on every service'],
    ['polycast cost --workload mine.yaml --json costs.json', 'your own, as JSON too'],
    ['polycast cost --workload architecture-center --lines', 'a packaged workload, with every line of the bill'],
    ['polycast cost --service signalr --service ably --tiers all', 'every tier of two services'],
    ['polycast cost --list', 'list the available workloads and services'],
  ],

  declare(command) {
    command
      .option(
        '-w, --workload <file>',
        'YAML or JSON file, or the name of a packaged workload (default: order-tracking)',
      )
      .option('-s, --service <name>', 'only this service; may be repeated', several)
      .option('--region <name>', 'Azure region, such as westeurope')
      .addOption(
        new Option('--tiers <which>', 'one row per service, or one per tier')
          .choices(['cheapest', 'all'])
          .default('cheapest'),
      )
      .option('--prices <file>', 'a price file of your own; may be repeated', several)
      .option('--lines', 'show the lines of every bill')
      .option('--list', 'list packaged workloads and services')
      .option('--json <file>', JSON_HELP);
  },

  async run(_args, options, terminal) {
    const { listServices, loadPrices, priceWorkload, WORKLOADS } = await import('@polycast/measure');
    if (options.list) {
      const workloads = Object.entries(WORKLOADS).map(([name, { description = '' }]) => ({ name, description }));
      const services = listServices();
      if (options.json !== undefined) await writeJson(options.json, { workloads, services }, terminal);
      if (options.json === '-') return EXIT.ok;
      const { bold } = terminal.colors;
      terminal.stdout.write(
        `${bold('Workloads')}\n${workloads.map((it) => `  ${it.name}  ${it.description.trim().split('\n')[0]}`).join('\n')}\n\n`,
      );
      terminal.stdout.write(
        `${bold('Services')}\n${services.map((it) => `  ${it.service}  ${it.title}`).join('\n')}\n`,
      );
      return EXIT.ok;
    }

    const workload = await chooseWorkload(options.workload, terminal);
    const rows = priceWorkload(workload, {
      tiers: options.tiers,
      ...(options.service !== undefined && { services: options.service }),
      ...(options.region !== undefined && { region: options.region }),
      ...(options.prices !== undefined && { prices: await loadPrices(options.prices) }),
    });
    if (options.json !== undefined) await writeJson(options.json, rows, terminal);
    if (options.json !== '-') terminal.stdout.write(costTable(workload, rows, terminal, options));
    return EXIT.ok;
  },
});
