import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

export interface BundleSize {
  /** What a browser downloads for a program to start, in bytes: minified; and each file compressed. */
  readonly minified: number;
  readonly gzip: number;
  /** What it downloads when it is first needed, compressed: the filter language, for those who filter. */
  readonly onDemandGzip: number;
}

/** Bundled by Vite's bundler, with what is imported on demand as files of its own. */
export async function bundleSize(program: string): Promise<BundleSize> {
  // A name in this folder, so that packages are found from here.
  const entry = fileURLToPath(new URL('../../program.js', import.meta.url));
  const made = await rolldown({
    input: entry,
    platform: 'browser',
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? program : undefined),
      },
    ],
    logLevel: 'silent',
  });
  const { output } = await made.generate({ format: 'esm', minify: true });
  await made.close();
  const chunks = new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file] as const] : [])));
  const initial = new Set<string>();
  const visit = (name: string) => {
    if (initial.has(name)) return;
    initial.add(name);
    for (const next of chunks.get(name)!.imports) visit(next);
  };
  for (const { fileName, isEntry } of chunks.values()) if (isEntry) visit(fileName);
  const size = { minified: 0, gzip: 0, onDemandGzip: 0 };
  for (const { fileName, code } of chunks.values()) {
    const gzip = gzipSync(code, { level: 9 }).length;
    if (initial.has(fileName)) {
      size.minified += Buffer.byteLength(code);
      size.gzip += gzip;
    } else size.onDemandGzip += gzip;
  }
  return size;
}
