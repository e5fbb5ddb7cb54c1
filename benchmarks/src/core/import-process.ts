/** How long a fresh process takes to import a package. Argument: its name. */
const startMs = performance.now();
await import(process.argv[2]!);
process.send!(performance.now() - startMs);
