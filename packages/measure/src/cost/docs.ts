import { billedTable, costTable, priceTable } from './markdown.ts';
import { packagedPrices } from './price-book.ts';
import { priceWorkload } from './price-workload.ts';
import { listServices } from './service-list.ts';
import type { Workload } from './workload.ts';

/**
 * Writes the tables of a page anew: each stands between `<!-- table: name -->` and `<!-- end -->`, and the name is
 * `billed`, `prices`, or `cost` and a workload (`cost order-tracking`).
 */
export function writeTables(page: string, workloads: Readonly<Record<string, Workload>>): string {
  return page.replace(/<!-- table: ([a-z -]+) -->[\s\S]*?<!-- end -->/g, (_, name: string) => {
    return `<!-- table: ${name} -->\n\n${tableNamed(name, workloads)}\n\n<!-- end -->`;
  });
}

function tableNamed(name: string, workloads: Readonly<Record<string, Workload>>): string {
  const book = packagedPrices();
  const services = listServices().map(({ service }) => service);
  if (name === 'billed') return billedTable(book, services);
  if (name === 'prices') return priceTable(book, services);
  const workload = workloads[name.replace(/^cost /, '')];
  if (workload === undefined) throw new TypeError(`no table is called "${name}"`);
  return costTable(priceWorkload(workload));
}
