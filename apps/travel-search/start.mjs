// `npm run start -- …`: installs and builds what the example needs, then runs it with these arguments.
import { pnpm } from '../../scripts/pnpm.mjs';

await step('installing', ['install', '--frozen-lockfile', '--filter', '.', '--filter', '@polycast/travel-search...']);
await step('building', ['exec', 'turbo', 'run', 'build', '--filter', '@polycast/travel-search']);
await import('./dist/main.js');

async function step(what, args) {
  const { code, output } = await pnpm(args, { capture: true });
  if (code === 0) return;
  process.stderr.write(`${output}\n${what} failed: the lines above say why.\n`);
  process.exit(code);
}
