// Runs the pinned pnpm without installing it anywhere: `node scripts/pnpm.mjs install`.
// Needs nothing but Node and its npm; works before the first install.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** `pnpm@12.21.0`: the one place that says which is package.json. */
const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;

/** No tool started from here reports home or advertises a newer version of itself. */
const quiet = {
  DO_NOT_TRACK: '1',
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  NO_UPDATE_NOTIFIER: '1',
  npm_config_update_notifier: 'false',
  npm_config_fund: 'false',
  npm_config_audit: 'false',
};

/**
 * @param {readonly string[]} args
 * @param {{ capture?: boolean, env?: Record<string, string> }} [options] capture: keep what it prints instead of showing it
 * @returns {Promise<{ code: number, output: string }>}
 */
export function pnpm(args, options) {
  const npx = npxCommand();
  // prefer-offline: an exact version never changes, so what is cached is right and no network is needed.
  return run(npx.file, [...npx.args, '--yes', '--prefer-offline', pinned, ...args], options);
}

/** Runs a program in the repository's root. Never rejects: a program that cannot be started gives code 127. */
export function run(file, args, { capture = false, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: root,
      env: { ...process.env, ...quiet, ...env },
      stdio: ['ignore', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
    });
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}\n` }));
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGINT' ? 130 : 1), output }));
  });
}

/** npm says where it is when it runs a script; its npx lies beside it. Started by hand, npx is on PATH. */
function npxCommand() {
  const besideNpm = process.env.npm_execpath && join(dirname(process.env.npm_execpath), 'npx-cli.js');
  if (besideNpm && existsSync(besideNpm)) return { file: process.execPath, args: [besideNpm] };
  return { file: process.platform === 'win32' ? 'npx.cmd' : 'npx', args: [] };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = (await pnpm(process.argv.slice(2))).code;
}
