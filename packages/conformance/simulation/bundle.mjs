import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/**
 * The simulation and the core that it runs, from source, as one module: nothing is loaded while a history runs, and a
 * mutant is a core with one place changed in its text.
 *
 * @param {{ module: string, from: string, to: string }[]} [patches] each must fit exactly one place of a module of core
 * @returns {Promise<string>} the module's text
 */
export async function bundleSimulation(patches = []) {
  const left = new Set(patches);
  const build = await rolldown({
    input: fileURLToPath(new URL('../src/simulation/index.ts', import.meta.url)),
    platform: 'node',
    resolve: { conditionNames: ['polycast-source', 'node', 'import'] },
    plugins: [
      {
        name: 'mutant',
        load(id) {
          const mine = patches.filter(({ module }) => id.endsWith(`/core/src/${module}`));
          if (mine.length === 0) return null;
          let code = readFileSync(id, 'utf8');
          for (const patch of mine) {
            const parts = code.split(patch.from);
            if (parts.length !== 2) {
              throw new Error(`${patch.module}: the text to change is there ${parts.length - 1} times: ${patch.from}`);
            }
            code = parts.join(patch.to);
            left.delete(patch);
          }
          return { code, moduleType: 'ts' };
        },
      },
    ],
    logLevel: 'warn',
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  await build.close();
  if (left.size > 0) throw new Error(`no such module of core: ${[...left].map(({ module }) => module).join(', ')}`);
  return output[0].code;
}
