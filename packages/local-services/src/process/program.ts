import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Maximum time of an installation, ms. */
export const INSTALL_TIMEOUT_MS = 300_000;

/** The path of the first of these programs that is on PATH. */
export function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** May packages be installed here without asking anybody? Root on Debian or one of its children. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && findOnPath(['apt-get']) !== undefined;
}

/**
 * Installs a package from Debian's archive and says so in one line on stderr. Processes that want the same program
 * at the same time wait for one another, and only the first one installs.
 * @param present a program that the package brings, or a command of the shell that succeeds where the package is there
 * @throws Error with apt-get's own words
 */
export async function installFromDebian(
  packageName: string,
  present: string | { readonly check: string },
): Promise<void> {
  const check = typeof present === 'string' ? `command -v ${present}` : present.check;
  process.stderr.write(`polycast: installing ${packageName} from Debian's packages (apt-get)\n`);
  const script = [
    `${check} >/dev/null 2>&1 && exit 0`,
    'apt-get update -qq >/dev/null',
    `apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 ${packageName} >/dev/null`,
  ].join('\n');
  const lock = join(tmpdir(), 'polycast-apt-get.lock');
  await run('flock', [lock, 'sh', '-ec', script], {
    timeout: INSTALL_TIMEOUT_MS,
    // RUNLEVEL=1 keeps the package from starting a system-wide daemon of its own.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
}
