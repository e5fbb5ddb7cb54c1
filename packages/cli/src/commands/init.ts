import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PolycastError } from '@polycast/core';
import { secretsOf } from '@polycast/core/configuration';
import { Option } from 'commander';
import { defineCommand } from '../command.ts';
import { CONFIG_FILES, findConfigFile } from '../config-file.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { JSON_HELP, writeJson } from '../output/json-file.ts';
import { readTransportUrl } from '../transport-url.ts';

interface Options {
  format?: 'ts' | 'mjs' | 'json';
  url: string;
  name: string;
  force?: boolean;
  json?: string;
}

export default defineCommand<Options>({
  examples: [
    ['polycast init', 'polycast.config.ts or .mjs, with memory and Redis'],
    ['polycast init --format json --name live --url redis://cache:6379', 'one more transport of your own'],
    ['polycast init --force', 'replace the existing file'],
  ],

  declare(command) {
    command
      .addOption(
        new Option('--format <format>', 'kind of file (default: ts where tsconfig.json is, else mjs)').choices([
          'ts',
          'mjs',
          'json',
        ]),
      )
      .option('--name <name>', 'name of the default transport', 'redis')
      .option('-u, --url <url>', 'URL of the default transport', 'redis://localhost:6379')
      .option('-f, --force', 'replace an existing file')
      .option('--json <file>', JSON_HELP);
  },

  async run(_args, { format, url, name, force, json }, terminal) {
    if (holdsSecret(url)) {
      throw new UsageError(
        `the URL holds a secret, which does not belong in a file: write \${NAME} there to use an environment variable`,
      );
    }
    const existing = findConfigFile(terminal.cwd);
    if (existing !== undefined && !force) {
      throw new PolycastError('invalid-configuration', `${existing} already exists; --force replaces it`);
    }
    const file = format === undefined ? await likelyFile(terminal.cwd) : `polycast.config.${format}`;
    if (existing !== undefined && existing !== file) {
      throw new PolycastError(
        'invalid-configuration',
        `${existing} would still be read before ${file}: remove it, or choose its format`,
      );
    }
    await write(join(terminal.cwd, file), render(file, name, url), force === true);
    if (json !== undefined) await writeJson(json, { file, default: name }, terminal);
    if (json !== '-') {
      const listen = `polycast sub --name ${name}`;
      terminal.stdout.write(
        `wrote ${file}\n\nNext:\n  ${'polycast doctor'.padEnd(listen.length)}  check that everything is reachable\n  ${listen}  print events, and from another terminal:\n  polycast pub --name ${name} '"hello"'\n`,
      );
    }
    return EXIT.ok;
  },
});

/** `${NAME}` stands for an environment variable: it is where a secret belongs. @throws PolycastError `invalid-configuration` */
function holdsSecret(url: string): boolean {
  if (/^\$\{\w+\}$/.test(url.trim())) return false;
  readTransportUrl(url.replace(/\$\{\w+\}/g, 'x'));
  const rest = url.replace(/\/\/(?:[\w.-]*:)?\$\{\w+\}@/, '//').replace(/=\$\{\w+\}/g, '=');
  return secretsOf(rest).length > 0;
}

async function likelyFile(folder: string): Promise<string> {
  const isTypeScript = await readFile(join(folder, 'tsconfig.json')).then(
    () => true,
    () => false,
  );
  return CONFIG_FILES[isTypeScript ? 'ts' : 'mjs'];
}

/** Without `force`, a file that appeared since we looked is not replaced either. */
async function write(path: string, text: string, force: boolean): Promise<void> {
  try {
    const file = await open(path, force ? 'w' : 'wx');
    await file.writeFile(text);
    await file.close();
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new PolycastError('invalid-configuration', `${path} cannot be written (${why})`, { cause });
  }
}

function render(file: string, name: string, url: string): string {
  const transports = name === 'memory' ? { memory: url } : { memory: 'memory:', [name]: url };
  const config = { transports, default: name };
  if (file.endsWith('.json')) return `${JSON.stringify(config, undefined, 2)}\n`;
  const entries = Object.entries(transports).map(([key, value]) => `    ${literalKey(key)}: ${literal(value)},`);
  const body = `{
  // connect({ name: ${literal(name)}, topic: 'orders' }) picks one of these.
  // \${NAME} stands for an environment variable: secrets belong there.
  transports: {
${entries.join('\n')}
  },
  // Used when connect says neither url nor name, and POLYCAST_URL is not set.
  default: ${literal(name)},
}`;
  if (file.endsWith('.ts'))
    return `import { defineConfig } from '@polycast/core';\n\nexport default defineConfig(${body});\n`;
  return `/** @type {import('@polycast/core').PolycastConfig} */\nexport default ${body};\n`;
}

function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n')}'`;
}

function literalKey(text: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(text) ? text : literal(text);
}
