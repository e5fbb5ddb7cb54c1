import { defineConfig } from 'rolldown';

/**
 * For Node, few files instead of a hundred and fifty: it reads and links each module by itself, which was most of the time
 * that importing core took. Bundlers get the modules one by one, as tsc writes them, and leave out what a page does not use.
 */
export default defineConfig({
  input: {
    index: 'src/index.ts',
    adapter: 'src/adapter.ts',
    configuration: 'src/configuration.ts',
    endpoint: 'src/endpoint.ts',
    filter: 'src/filter.ts',
    opentelemetry: 'src/opentelemetry.ts',
    simulation: 'src/simulation.ts',
    // What `#node-configuration` stands for: it must share its classes with the others.
    'configuration/node': 'src/configuration/node.ts',
  },
  platform: 'neutral',
  external: [/^node:/, /^#/, /^@/, 'jiti'],
  output: {
    dir: 'dist/node',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'parts/[name].js',
    sourcemap: true,
    cleanDir: true,
  },
  logLevel: 'warn',
});
