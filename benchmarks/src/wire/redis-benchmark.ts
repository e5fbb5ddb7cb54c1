import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { short, type Table } from '../measurement/table.ts';

/** What the server alone can do, by its own tool: nobody on the other side parses anything. */
export async function redisBenchmark(
  url: string,
  command: readonly string[],
  progress: (text: string) => void,
): Promise<Table> {
  const { hostname, port } = new URL(url);
  const rows: string[][] = [];
  for (const [clients, pipeline, requests] of [
    [1, 1, 30_000],
    [50, 1, 100_000],
    [50, 16, 500_000],
    [50, 64, 500_000],
  ] as const) {
    progress(`redis-benchmark, ${clients} connections, pipeline ${pipeline}`);
    const args = ['-h', hostname, '-p', port, '-c', clients, '-P', pipeline, '-n', requests, '--csv', ...command].map(
      String,
    );
    const perSecond = await promisify(execFile)('redis-benchmark', args).then(
      ({ stdout }) => Number(stdout.trim().split('\n').at(-1)?.split('","')[1]?.replace(/"/g, '')),
      () => Number.NaN,
    );
    rows.push([`${clients} connections, pipeline ${pipeline}`, short(perSecond)]);
  }
  return {
    title: `Physical limit: redis-benchmark ${command[0]}`,
    columns: ['', 'per second'],
    rows,
    notes: ['– where redis-benchmark is not installed.'],
  };
}
