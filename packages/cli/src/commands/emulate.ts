import { resolve } from 'node:path';
import { Option } from 'commander';
import { defineCommand } from '../command.ts';
import { accessRule, type ServiceOptions, TIERS } from '../emulate/options.ts';
import { runEmulation } from '../emulate/run.ts';
import { findService, SERVICE_NAMES } from '../emulate/services.ts';
import { UsageError } from '../exit-code.ts';
import { number } from '../parse-option.ts';

interface Options extends ServiceOptions {
  json?: string;
  verbose?: boolean;
}

export default defineCommand<Options>({
  examples: [
    ['polycast emulate service-bus', 'on port 5672, with a key of its own'],
    ['polycast emulate service-bus --port 0 --config Config.json', 'on a free port, with entities to start with'],
    ['polycast emulate service-bus --tls', 'also print the connection string for AMQP over TLS'],
    ['polycast emulate service-bus --key RootManageSharedAccessKey=SAS_KEY_VALUE', 'with a given key'],
    ['polycast emulate service-bus --key web:send=abc --key kitchen:listen=def', 'with several policies and rights'],
    ['polycast emulate service-bus --json - | jq -r .connectionString', 'for programs'],
  ],

  declare(command) {
    command
      .argument('[service]', `which one: ${SERVICE_NAMES.join(', ')}`)
      .option(
        '-p, --port <n>',
        'port to listen on; 0: a free one (default: 5672)',
        number({ min: 0, max: 65_535, whole: true }),
      )
      .option('--host <name>', 'address to listen on (default: 127.0.0.1)')
      .option('--tls', 'print the TLS connection details (same port)')
      .option('--config <file>', "entities to start with, in the format of the vendor emulator's Config.json")
      .addOption(new Option('--tier <tier>', 'tier whose limits apply (default: standard)').choices(TIERS))
      .option(
        '--key <name=key>',
        'a shared access policy, NAME=KEY or NAME:send,listen=KEY; may be repeated (default: RootManageSharedAccessKey, a new key)',
        accessRule,
      )
      .option('--json <file>', 'JSON lines to this file: started, counts as they change, stopped; - is stdout');
  },

  async run([name], { json, verbose: _verbose, ...options }, terminal) {
    if (options.config !== undefined) options.config = resolve(terminal.cwd, options.config);
    if (name === undefined) throw new UsageError(`no service selected; available: ${SERVICE_NAMES.join(', ')}`);
    const service = await findService(name);
    const foreign = Object.keys(options).find((option) => !service.options.some((own) => own === option));
    if (foreign !== undefined) throw new UsageError(`${name} does not support --${foreign}`);
    return runEmulation(await service.start(options), name, json, terminal);
  },
});
