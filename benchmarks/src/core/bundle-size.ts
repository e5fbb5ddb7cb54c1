import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

export interface BundleSize {
  /** What a browser downloads for a program to start, in bytes: minified; and compressed. */
  readonly minified: number;
  readonly gzip: number;
  /** What it downloads when it is first needed, compressed: the filter language, for those who filter. */
  readonly onDemandGzip: number;
}

/** Bundled as bundlers do by default: what is imported on demand is a file of its own. */
export async function bundleSize(program: string): Promise<BundleSize> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: fileURLToPath(new URL('../..', import.meta.url)) },
    bundle: true,
    splitting: true,
    outdir: 'out',
    entryNames: 'program',
    metafile: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  const initial = new Set<string>();
  const visit = (path: string) => {
    if (initial.has(path)) return;
    initial.add(path);
    for (const { path: next, kind } of metafile.outputs[path]!.imports) if (kind === 'import-statement') visit(next);
  };
  visit('out/program.js');
  const isInitial = ({ path }: { path: string }) => [...initial].some((name) => path.endsWith(name));
  const sizeOf = (files: typeof outputFiles) => {
    const bytes = Buffer.concat(files.map(({ contents }) => contents));
    return { minified: bytes.length, gzip: files.length === 0 ? 0 : gzipSync(bytes, { level: 9 }).length };
  };
  const started = sizeOf(outputFiles.filter(isInitial));
  const later = sizeOf(outputFiles.filter((file) => !isInitial(file)));
  return { ...started, onDemandGzip: later.gzip };
}
