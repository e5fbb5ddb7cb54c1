export { EXIT, type ExitCode } from './exit-code.ts';
export type { Terminal } from './output/terminal.ts';
export { runPolycast } from './program.ts';
