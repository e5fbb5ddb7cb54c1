import { defineConfig } from 'rolldown';

/** Puts the private packages of services without a transport into the one file that imports them: no registry has them. */
export default defineConfig({
  input: { 'unpublished-targets': 'src/filter/unpublished-targets.ts' },
  platform: 'node',
  external: [/^@polycast\/core/],
  output: { dir: 'dist/filter', format: 'esm', entryFileNames: '[name].js', sourcemap: true, cleanDir: false },
  logLevel: 'warn',
});
