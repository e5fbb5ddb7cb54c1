/// <reference types="node" />
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PolycastError } from '../contract/error.ts';
import type { ConfigSource } from './config.ts';
import { findJsonFault } from './json-fault.ts';
import { redactText } from './redact.ts';
import { areRules, type SchemeRules } from './transport-url.ts';

const CONFIG_FILES = ['ts', 'mts', 'mjs', 'js', 'json'].map((extension) => `polycast.config.${extension}`);
/** Largest configuration file, bytes. */
const MAX_CONFIG_BYTES = 1_048_576;
const LOCK_FILES = {
  'pnpm-lock.yaml': 'pnpm add',
  'yarn.lock': 'yarn add',
  'bun.lock': 'bun add',
  'bun.lockb': 'bun add',
} as const;

/**
 * The module of a package, from the user's project or beside core; undefined when it is not installed.
 * @throws PolycastError `invalid-configuration` when it is there and cannot be loaded
 */
export async function loadPackage(name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const inProject = resolveFrom(join(process.cwd(), 'package.json'), name);
  const besideCore = resolveFrom(import.meta.url, name);
  const isOfProject = inProject !== undefined && (besideCore === undefined || usesThisCore(inProject));
  // A plain specifier leaves the choice of conditions and copies to whoever runs us, so it comes first where both agree.
  const target = isOfProject && inProject !== besideCore ? pathToFileURL(inProject).href : name;
  try {
    return await import(/* @vite-ignore */ target);
  } catch (cause) {
    if (inProject === undefined && besideCore === undefined && isMissing(cause, name)) return undefined;
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    throw new PolycastError('invalid-configuration', `${name} is installed but cannot be loaded: ${reason}`, { cause });
  }
}

const CATALOGUE = '@polycast/catalogue';

/**
 * What is known of schemes: the catalogue, which comes with each adapter. It is looked for in the project, beside core, and beside the
 * adapters of the project, since some package managers show a project only what it names itself.
 */
export async function installedSchemes(): Promise<SchemeRules | undefined> {
  try {
    const found = await loadPackage(CATALOGUE);
    const file = found === undefined ? besideAdapters(CATALOGUE) : undefined;
    const module = file === undefined ? found : await import(/* @vite-ignore */ pathToFileURL(file).href);
    const rules = (module as { readonly SCHEMES?: unknown } | undefined)?.SCHEMES;
    return areRules(rules) ? rules : undefined;
  } catch {
    // Without it, a scheme is the name of its package.
    return undefined;
  }
}

/** A file that an adapter of the project can import, where the project itself cannot. */
export function besideAdapters(name: string): string | undefined {
  for (const folder of foldersUp(process.cwd())) {
    const scope = join(folder, 'node_modules/@polycast');
    for (const adapter of existsSync(scope) ? readdirSync(scope) : []) {
      const file = resolveFrom(join(realpathSync(join(scope, adapter)), 'package.json'), name);
      if (file !== undefined) return file;
    }
  }
  return undefined;
}

/**
 * Does a package use this copy of core? `connect` refuses the transports of one that does not, such as that of a project in which a
 * program runs that is installed elsewhere.
 */
export function usesThisCore(file: string): boolean {
  const here = resolveFrom(import.meta.url, '@polycast/core');
  const there = resolveFrom(file, '@polycast/core');
  return here === undefined || there === undefined || there === here;
}

/** What to type to install a package: with the package manager whose lock file is nearest. */
export function installCommand(name: string): string {
  for (const folder of foldersUp(process.cwd())) {
    for (const [file, command] of Object.entries(LOCK_FILES)) {
      if (existsSync(join(folder, file))) return `${command} ${name}`;
    }
  }
  return `npm install ${name}`;
}

/** The nearest `polycast.config.*` upwards from the working directory. @throws PolycastError `invalid-configuration` */
export async function readConfig(): Promise<ConfigSource | undefined> {
  for (const folder of foldersUp(process.cwd())) {
    for (const name of CONFIG_FILES) {
      const path = join(folder, name);
      if (existsSync(path)) return await readConfigFile(path);
    }
  }
  return undefined;
}

async function readConfigFile(path: string): Promise<ConfigSource> {
  const file = relative(process.cwd(), path);
  const text = await readConfigText(path, file);
  if (extname(path) === '.json') return { file, text, value: parseConfigJson(file, text) };
  return { file, text, value: await evaluate(path, file) };
}

async function readConfigText(path: string, file: string): Promise<string> {
  let reason: string;
  try {
    const found = await stat(path);
    // Reading a pipe or a device would wait for ever.
    if (!found.isFile()) reason = 'it is not a regular file';
    else if (found.size > MAX_CONFIG_BYTES) reason = `it is larger than ${MAX_CONFIG_BYTES} bytes`;
    else return await readFile(path, 'utf8');
  } catch (cause) {
    reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  }
  throw new PolycastError('invalid-configuration', `${file} cannot be read: ${reason}`);
}

function parseConfigJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const fault = findJsonFault(text);
    const where = fault === undefined ? '' : `:${fault.line}:${fault.column}`;
    // The parser's error quotes the text, which may hold a password: it is not kept as the cause.
    const reason = fault?.reason ?? (cause as Error).name;
    throw new PolycastError('invalid-configuration', `${file}${where}: not JSON: ${reason}`);
  }
}

async function evaluate(path: string, file: string): Promise<unknown> {
  try {
    if (/\.m?ts$/.test(path) && !stripsTypes()) return await evaluateWithJiti(path, file);
    const module: { default?: unknown } = await import(/* @vite-ignore */ pathToFileURL(path).href);
    return module.default;
  } catch (cause) {
    if (cause instanceof PolycastError) throw cause;
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message.split('\n', 1)[0]}` : String(cause);
    // Parsers quote the line they stumbled over, where a password may stand: what they threw is not kept as the cause.
    const options = cause instanceof SyntaxError || 'loc' in Object(cause) ? undefined : { cause };
    const line = options === undefined ? lineOf(cause, path) : '';
    throw new PolycastError('invalid-configuration', `${file}${line} cannot be loaded: ${redactText(reason)}`, options);
  }
}

/** `:3`, where a parser stumbled. */
function lineOf(thrown: unknown, path: string): string {
  const stack = String((thrown as { stack?: unknown }).stack);
  const [, line] = new RegExp(`${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}:(\\d+)`).exec(stack) ?? [];
  return line === undefined ? '' : `:${line}`;
}

/** Does this Node read TypeScript by itself (22.18 and later)? */
function stripsTypes(): boolean {
  return Boolean((process.features as { typescript?: unknown }).typescript);
}

async function evaluateWithJiti(path: string, file: string): Promise<unknown> {
  const jitiPath = resolveFrom(path, 'jiti') ?? resolveFrom(import.meta.url, 'jiti');
  if (jitiPath === undefined) {
    throw new PolycastError(
      'invalid-configuration',
      `${file}: Node ${process.versions.node} cannot read TypeScript: install jiti (npm install --save-dev jiti), use Node 22.18 or later, or rename the file to polycast.config.mjs`,
    );
  }
  const { createJiti }: typeof import('jiti') = await import(/* @vite-ignore */ pathToFileURL(jitiPath).href);
  return await createJiti(path).import(path, { default: true });
}

/** The file a specifier means, seen from another file; undefined when there is none. */
function resolveFrom(from: string, specifier: string): string | undefined {
  try {
    return createRequire(from).resolve(specifier);
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(name)
  );
}

function* foldersUp(from: string): Generator<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    yield folder;
    if (folder === dirname(folder)) return;
  }
}
