import type { Command } from 'commander';
import { number, several } from '../parse-option.ts';

export interface CompareOptions {
  readonly url?: readonly string[];
  readonly workload?: string;
  readonly rate: number;
  readonly duration: number;
  readonly payload: number;
  readonly subscribers: number;
  readonly conformance: boolean;
  readonly latency: boolean;
  readonly json: string;
  readonly html: string;
}

export function declareCompare(command: Command): void {
  command
    .option(
      '-u, --url <url>',
      'a transport to compare; may be repeated (default: memory and Redis, on a server started for it)',
      several,
    )
    .option('-w, --workload <file>', 'YAML or JSON file, or the name of a packaged workload (default: order-tracking)')
    .option('--rate <n>', 'events per second while latency is measured', number({ min: 0.1, max: 1e6 }), 1_000)
    .option('--duration <s>', 'seconds to measure each transport', number({ min: 0.1, max: 86_400 }), 4)
    .option('--payload <bytes>', 'length of the JSON data, minimum 64', number({ min: 64, max: 1e8, whole: true }), 200)
    .option(
      '--subscribers <n>',
      'number of subscribers; each receives every event',
      number({ min: 1, max: 10_000, whole: true }),
      3,
    )
    .option('--no-conformance', 'skip the conformance suite')
    .option('--no-latency', 'skip the measurements')
    .option(
      '--json <file>',
      'write the result as JSON to this file; - is stdout, and nothing else is printed there',
      'report/compare.json',
    )
    .option('--html <file>', 'write the report to this file', 'report/index.html');
}
