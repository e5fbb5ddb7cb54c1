import { readFileSync } from 'node:fs';

/** What all contenders of a suite do. Plain data in `workloads/`. */
export function readWorkload<Workload>(name: string): Workload {
  return JSON.parse(readFileSync(new URL(`../workloads/${name}.json`, import.meta.url), 'utf8')) as Workload;
}

/** What fills a payload up to its size. */
export interface Filling {
  readonly lines: readonly unknown[];
  readonly note: string;
}

/** The payload of all suites: an order. */
export function makeOrder(number: number, { lines, note }: Filling): Record<string, unknown> {
  return {
    number,
    order: 'order-4711',
    customer: { id: 'c-99', name: 'Ada' },
    total: 129.5,
    lines,
    rush: false,
    note,
  };
}

/** Above this a long text would make up most of the payload, which is the easiest thing for any parser. */
const MAX_NOTE_LENGTH = 150;

/** Makes the order's JSON text about `bytes` long: with more lines, then a longer note. */
export function fillingFor(bytes: number): Filling {
  const lines: unknown[] = ['a-1', 'b-2'];
  const missing = () => bytes - JSON.stringify(makeOrder(10_000, { lines, note: '' })).length;
  while (missing() > MAX_NOTE_LENGTH) {
    const at = lines.length;
    lines.push({
      sku: `sku-${1000 + at}`,
      quantity: at % 7,
      price: 9.5 + at,
      gift: at % 3 === 0,
      tags: ['new', 'fragile'],
    });
  }
  return { lines, note: 'x'.repeat(Math.max(0, missing())) };
}
