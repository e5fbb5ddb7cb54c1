import { readFileSync } from 'node:fs';

/** What all contenders of a suite do. Plain data in `workloads/`. */
export function readWorkload<Workload>(name: string): Workload {
  return JSON.parse(readFileSync(new URL(`../workloads/${name}.json`, import.meta.url), 'utf8')) as Workload;
}

/** The payload of all suites, whose JSON text has about `bytes` bytes. */
export function makeOrder(number: number, filler: string): Record<string, unknown> {
  return {
    number,
    order: 'order-4711',
    customer: { id: 'c-99', name: 'Ada' },
    total: 129.5,
    lines: ['a-1', 'b-2'],
    rush: false,
    note: filler,
  };
}

export function fillerFor(bytes: number): string {
  return 'x'.repeat(Math.max(0, bytes - JSON.stringify(makeOrder(10_000, '')).length));
}
