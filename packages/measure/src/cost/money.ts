/**
 * Exact US dollars: a whole number of 1e-24 dollars.
 *
 * A price has at most {@link PRICE_PLACES} decimals and is for a power of ten of units; a quantity is taken to the
 * millionth of a unit. Their product is then a whole number here, so nothing is rounded before {@link toUsd}.
 */
export type Money = bigint;

/** Maximum number of decimals of a price of one unit: 0.000000000000000001 dollars. */
const PRICE_PLACES = 18;
/** Quantities are taken to the millionth of a unit. */
const QUANTITY_PLACES = 6;
const CENT: Money = 10n ** BigInt(PRICE_PLACES + QUANTITY_PLACES - 2);

/** What `quantity` units cost at `usd` dollars for `per` units (a power of ten, at most 1e9). Both at least 0. */
export function cost(quantity: number, usd: number, per: number): Money {
  return fixed(quantity, QUANTITY_PLACES) * (fixed(usd, PRICE_PLACES - 9) * (10n ** 9n / BigInt(per)));
}

/** Dollars and cents, rounded once, half a cent upwards. */
export function toUsd(money: Money): number {
  return Number((money + CENT / 2n) / CENT) / 100;
}

/** A decimal number as a whole number of 10^-places. The whole part stays exact however large it is. */
function fixed(value: number, places: number): bigint {
  const whole = Math.trunc(value);
  const fraction = BigInt((value - whole).toFixed(places).replace('.', ''));
  return BigInt(whole) * 10n ** BigInt(places) + fraction;
}
