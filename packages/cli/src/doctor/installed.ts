import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SCHEMES } from '@polycast/catalogue';
import { readConfiguration } from '@polycast/core/configuration';
import type { Finding } from './finding.ts';
import { isInRange } from './version-range.ts';

const OLDEST_NODE = [20, 19] as const;
/** Maximum wait for a program to print its version, ms. */
const VERSION_TIMEOUT_MS = 5_000;

export async function checkInstalled(): Promise<readonly Finding[]> {
  return [
    node(),
    ...adapters(await configuredPackages()),
    await program(
      'redis-server',
      ['redis-server'],
      /v=(\S+)/,
      'needed by `polycast compare` unless POLYCAST_REDIS_URL names a server (Debian: apt-get install redis-server)',
    ),
    await program(
      'chromium',
      ['chromium', 'chromium-browser', 'google-chrome'],
      /(\d[\d.]+)/,
      'only needed for tests of Polycast itself',
    ),
  ];
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const recent = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const finding = { what: 'node', detail: process.versions.node };
  if (recent) return { ...finding, status: 'ok' };
  return { ...finding, status: 'problem', advice: `install Node ${OLDEST_NODE.join('.')} or later` };
}

/** Packages that the configuration file names for schemes. What is wrong with the file is reported elsewhere. */
async function configuredPackages(): Promise<readonly string[]> {
  const found = await readConfiguration().catch(() => undefined);
  return Object.values(found?.config.adapters ?? {}).filter((entry) => typeof entry === 'string');
}

/** Adapter packages, from the project or from beside the command line. @param others that belong to this project */
function adapters(others: readonly string[]): readonly Finding[] {
  const names = new Set(SCHEMES.transports.map((transport) => `@polycast/${transport.split('+', 1)[0]}`));
  for (const name of others) names.add(name);
  return ['@polycast/core', ...names].flatMap((name): readonly Finding[] => {
    const inProject = packageFrom(join(process.cwd(), 'package.json'), name);
    const here = inProject ?? packageFrom(import.meta.url, name);
    if (here === undefined)
      return [{ what: name, status: 'absent', detail: 'not installed', advice: `npm install ${name}` }];
    const detail = `${here.version}${inProject === undefined ? ', comes with polycast' : ', in this project'}`;
    return [{ what: name, status: 'ok', detail }, ...sdksOf(name, here)];
  });
}

/** What an adapter needs beside itself: the project's own copy of an SDK, in a range of versions. */
function sdksOf(adapter: string, { file, peerDependencies = {}, peerDependenciesMeta = {} }: Package): Finding[] {
  const needed = Object.entries(peerDependencies).filter(([name]) => peerDependenciesMeta[name]?.optional !== true);
  return needed.map(([what, range]): Finding => {
    const advice = `npm install "${what}@${range}"`;
    const found = packageFrom(file, what);
    if (found === undefined) {
      return { what, status: 'problem', detail: `not installed; ${adapter} needs ${range}`, advice };
    }
    const detail = `${found.version}; ${adapter} takes ${range}`;
    return isInRange(found.version, range)
      ? { what, status: 'ok', detail }
      : { what, status: 'problem', detail, advice };
  });
}

interface Package {
  /** Its package.json, or where that cannot be read its main module. */
  readonly file: string;
  readonly version: string;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

function packageFrom(from: string, name: string): Package | undefined {
  const require = createRequire(from);
  try {
    const file = require.resolve(`${name}/package.json`);
    return { ...(require(file) as Omit<Package, 'file'>), file };
  } catch {
    return unreadable(require, name);
  }
}

/** One that is installed, and does not export its package.json. */
function unreadable(require: NodeJS.Require, name: string): Package | undefined {
  try {
    return { file: require.resolve(name), version: 'unknown version' };
  } catch {
    return undefined;
  }
}

async function program(what: string, names: readonly string[], pattern: RegExp, advice: string): Promise<Finding> {
  for (const name of names) {
    try {
      const { stdout } = await promisify(execFile)(name, ['--version'], { timeout: VERSION_TIMEOUT_MS });
      return { what, status: 'ok', detail: pattern.exec(stdout)?.[1] ?? stdout.trim() };
    } catch {
      // Not this one.
    }
  }
  return { what, status: 'absent', detail: 'not on PATH', advice };
}
