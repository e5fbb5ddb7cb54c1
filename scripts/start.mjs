// `npm start`: installs what `polycast` needs, builds it, and compares the transports that need no account.
// Everything after `--` goes to `polycast compare`: npm start -- --url redis://localhost:6379
import { join } from 'node:path';
import { pnpm, root, run } from './pnpm.mjs';

// Ctrl-C reaches the children too; they stop in their own way and we tell how they ended.
process.on('SIGINT', () => {});

await step('installing', ['install', '--frozen-lockfile', '--filter', '.', '--filter', 'polycast...']);
await step('building', ['exec', 'turbo', 'run', 'build', '--filter', 'polycast...', '--output-logs', 'errors-only']);

const cli = join(root, 'packages/cli/dist/bin.js');
process.exitCode = (await run(process.execPath, [cli, 'compare', ...process.argv.slice(2)])).code;

async function step(what, args) {
  const startedAt = performance.now();
  process.stderr.write(`${what} …`);
  const { code, output } = await pnpm(args, { capture: true });
  if (code !== 0) {
    process.stderr.write(` failed\n\n${output}\n${what} failed: the lines above say why.\n`);
    process.exit(code);
  }
  process.stderr.write(` ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
}
