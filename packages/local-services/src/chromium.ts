import { canInstall, findOnPath, installFromDebian, isExecutable } from './process/program.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'] as const;

/**
 * The path of a Chromium for browser tests; undefined where there is none and none can be installed.
 * `POLYCAST_CHROMIUM` names another one. On Debian as root it is installed.
 * @throws TypeError if `POLYCAST_CHROMIUM` names nothing that can be run
 */
export async function findChromium(): Promise<string | undefined> {
  const chosen = process.env.POLYCAST_CHROMIUM;
  if (chosen) {
    if (isExecutable(chosen)) return chosen;
    throw new TypeError(`POLYCAST_CHROMIUM is ${chosen}, which is not an executable program`);
  }
  const found = findOnPath(NAMES);
  if (found !== undefined || !canInstall()) return found;
  try {
    await installFromDebian('chromium', 'chromium');
  } catch (error) {
    process.stderr.write(`polycast: chromium could not be installed: ${(error as Error).message}\n`);
  }
  return findOnPath(NAMES);
}
