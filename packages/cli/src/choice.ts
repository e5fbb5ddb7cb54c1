import type { Transport } from '@polycast/core';
import { configuredUrl, readConfiguration, redactName } from '@polycast/core/configuration';
import type { Command } from 'commander';
import { UsageError } from './exit-code.ts';
import type { Terminal } from './output/terminal.ts';
import { readTransportUrl } from './transport-url.ts';
import { transportFromUrl } from './transports.ts';

/** How the user says which transport is meant. */
export interface Choice {
  readonly url?: string;
  readonly name?: string;
}

export function declareChoice(command: Command): Command {
  return command
    .option(
      '-u, --url <url>',
      'memory:, redis://host:6379, redis+streams://host:6379 … (default: POLYCAST_URL, then the config file)',
    )
    .option('-n, --name <name>', 'an entry of polycast.config.{ts,mjs,js,json}');
}

const FILES = 'polycast.config.ts, .mts, .mjs, .js or .json';

/** What to pass to `connect`: the transport of the URL that was chosen, or else the entry of the configuration file. */
export async function connectChoice(
  choice: Choice,
  terminal: Terminal,
): Promise<{ transport?: Transport; name?: string }> {
  const url = await chosenUrl(choice, terminal);
  if (url !== undefined) return { transport: await transportFromUrl(url) };
  const found = await readConfiguration();
  // What core would say names the options of `connect`, which is not what was typed.
  if (found === undefined && choice.name !== undefined) {
    throw new UsageError(
      `--name ${JSON.stringify(redactName(choice.name))} needs a configuration file, and there is no ${FILES} here or in a folder above; \`polycast init\` writes one`,
    );
  }
  if (choice.name === undefined && found?.config.default === undefined) {
    const file =
      found === undefined ? 'run `polycast init` to write a configuration file' : `set "default" in ${found.file}`;
    throw new UsageError(`no transport selected: give --url or --name, set POLYCAST_URL, or ${file}`);
  }
  return choice.name === undefined ? {} : { name: choice.name };
}

/** What a command that only reads may create on a service where nothing can be read otherwise. */
export type MayCreate = 'nothing' | 'subscriptions';

/** As {@link connectChoice}, for commands that only read: they create no topic on the user's service. */
export async function readingChoice(
  choice: Choice,
  terminal: Terminal,
  mayCreate: MayCreate,
): Promise<{ transport?: Transport; name?: string }> {
  const url = await chosenUrl(choice, terminal);
  return connectChoice(url === undefined ? choice : { url: readingUrl(url, mayCreate) }, terminal);
}

/** Undefined where a configuration file gives a transport without a URL. @throws UsageError */
async function chosenUrl({ url, name }: Choice, terminal: Terminal): Promise<string | undefined> {
  if (url !== undefined && name !== undefined) throw new UsageError('give either --url or --name, not both');
  const given = url ?? (name === undefined ? terminal.env.POLYCAST_URL : undefined);
  return given || configuredUrl(name);
}

/** The URL, which says that nothing (more) is created, unless it already says what is. */
export function readingUrl(text: string, mayCreate: MayCreate): string {
  const { url, scheme } = readTransportUrl(text);
  if (scheme !== 'service-bus' || url.searchParams.has('create')) return text;
  const reading = new URL(url);
  reading.searchParams.set('create', mayCreate === 'nothing' ? 'false' : mayCreate);
  return reading.href;
}

/** The URL that is meant, for commands that make many transports of it. @throws UsageError when nothing is chosen */
export function urlOf(choice: Choice, terminal: Terminal): string {
  const url = choice.url ?? terminal.env.POLYCAST_URL;
  if (url !== undefined && url !== '') return url;
  throw new UsageError(
    'no transport selected: give --url, such as --url memory: or --url redis://localhost:6379, or set POLYCAST_URL',
  );
}
