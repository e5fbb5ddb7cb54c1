import { PolycastError } from '@polycast/core';
import { suggestion } from '@polycast/core/configuration';
import * as v from 'valibot';
import { PRICE_FILES } from './data.generated.ts';
import { type Price, type PriceFile, PriceFileSchema, type Tier } from './price.ts';
import type { ServiceName } from './workload.ts';

/** Where prices hold everywhere. */
export const WORLD = 'world';

/** All prices, by service. */
export type PriceBook = Readonly<Record<string, PriceFile>>;

let packaged: PriceBook | undefined;

/** The prices that come with this package, read and checked on first use. */
export function packagedPrices(): PriceBook {
  packaged ??= readFiles(PRICE_FILES);
  return packaged;
}

/**
 * Prices of your own (another region, an agreement, a newer list), in the form of the files in `prices/`: of the same
 * services, with the same tiers and limits, which the models read.
 * @throws PolycastError `invalid-configuration` with everything that is wrong
 */
export function makePriceBook(files: readonly unknown[]): PriceBook {
  const book = readFiles(files);
  for (const file of Object.values(book)) checkShape(file);
  return book;
}

function readFiles(files: readonly unknown[]): PriceBook {
  const book: Record<string, PriceFile> = {};
  for (const [index, file] of files.entries()) {
    const parsed = v.safeParse(PriceFileSchema, file);
    if (!parsed.success) {
      const issues = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`);
      throw new PolycastError('invalid-configuration', `price file ${index + 1}: ${issues.join('; ')}`);
    }
    book[parsed.output.service] = parsed.output;
  }
  return book;
}

function checkShape(file: PriceFile): void {
  const model = packagedPrices()[file.service];
  const known = Object.keys(packagedPrices());
  if (model === undefined) {
    throw new PolycastError(
      'invalid-configuration',
      `unknown service "${file.service}"${suggestion(file.service, known)}`,
    );
  }
  for (const tier of file.tiers) {
    const like = findTier(model, tier.id);
    const missing = Object.keys(like.limits).filter((limit) => !(limit in tier.limits));
    if (like.sizes !== undefined && tier.sizes === undefined) missing.push('sizes');
    if (like.units !== undefined && tier.units === undefined) missing.push('units');
    if (missing.length === 0) continue;
    throw new PolycastError('invalid-configuration', `${file.service} tier "${tier.id}" lacks ${missing.join(', ')}`);
  }
}

/** Regions that at least one price is for, sorted. */
export function regionsOf(book: PriceBook): readonly string[] {
  const all = Object.values(book).flatMap((file) => file.prices.map((price) => price.region));
  return [...new Set(all)].filter((region) => region !== WORLD).sort();
}

/** @throws PolycastError `invalid-configuration` if no price at all is for the region */
export function checkRegion(book: PriceBook, region: string | undefined): void {
  if (region === undefined) return;
  const known = regionsOf(book);
  if (known.includes(region)) return;
  throw new PolycastError('invalid-configuration', `no prices for region "${region}"${suggestion(region, known)}`);
}

export function priceFile(book: PriceBook, service: ServiceName): PriceFile {
  const file = book[service];
  if (file === undefined) throw new PolycastError('invalid-configuration', `no prices for service "${service}"`);
  return file;
}

/** The price of a meter in the region asked for; else the one for the whole world; else the first there is. */
export function findPrice(file: PriceFile, id: string, region: string | undefined): Price {
  const candidates = file.prices.filter((price) => price.id === id);
  const price =
    candidates.find((it) => it.region === region) ?? candidates.find((it) => it.region === WORLD) ?? candidates[0];
  if (price === undefined) throw new PolycastError('invalid-configuration', `${file.service} has no price "${id}"`);
  return price;
}

/** @throws PolycastError `invalid-configuration` */
export function findTier(file: PriceFile, id: string): Tier {
  const tier = file.tiers.find((it) => it.id === id);
  if (tier !== undefined) return tier;
  const known = file.tiers.map((it) => it.id);
  throw new PolycastError('invalid-configuration', `${file.service} has no tier "${id}"${suggestion(id, known)}`);
}
