import { PolycastError } from '@polycast/core';
import { parse } from 'yaml';
import { readInputFile } from '../read-input-file.ts';
import { isDeep, MAX_DEPTH } from './nesting.ts';
import { makePriceBook, type PriceBook, packagedPrices } from './price-book.ts';

/**
 * Reads price files of your own (YAML or JSON, in the form of those in `prices/`). Each takes the place of the packaged
 * file of its service; services without one keep the packaged prices.
 * @throws PolycastError `invalid-configuration` naming the file and everything that is wrong in it
 */
export async function loadPrices(files: readonly string[]): Promise<PriceBook> {
  const books = await Promise.all(files.map(loadPriceFile));
  return Object.assign({}, packagedPrices(), ...books);
}

/** Largest price file, bytes: the packaged ones have some ten thousand. */
const MAX_PRICE_BYTES = 4_194_304;

async function loadPriceFile(file: string): Promise<PriceBook> {
  const text = await readInputFile(file, { maxBytes: MAX_PRICE_BYTES });
  try {
    if (isDeep(text)) throw new RangeError(`nested deeper than ${MAX_DEPTH} levels`);
    return makePriceBook([parse(text)]);
  } catch (error) {
    const said = (error as Error).message.replace(/^invalid-configuration: price file 1: /, '');
    throw new PolycastError('invalid-configuration', `${file}: ${said}`, { cause: error });
  }
}
