import { canInstall, findOnPath, installFromDebian } from '../process/program.ts';

const HELP =
  'redis-server is not installed. Install it (Debian and Ubuntu: `apt-get install redis-server`, macOS: `brew install redis`, ' +
  'Fedora: `dnf install redis`), or set POLYCAST_REDIS_URL to a server you have, for example redis://127.0.0.1:6379';

/**
 * The path of `redis-server`. Where none is on PATH: on Debian as root it is installed.
 * @throws Error that says how to install it, or to set `POLYCAST_REDIS_URL`
 */
export async function findRedisServer(): Promise<string> {
  const found = findOnPath(['redis-server']);
  if (found !== undefined) return found;
  if (!canInstall()) throw new Error(HELP);
  try {
    await installFromDebian('redis-server', 'redis-server');
  } catch (cause) {
    throw new Error(`${HELP}. Installing it failed: ${(cause as Error).message}`, { cause });
  }
  const installed = findOnPath(['redis-server']);
  if (installed === undefined) throw new Error(HELP);
  return installed;
}
