import type { Charge } from './model.ts';
import { cost, type Money, toUsd } from './money.ts';
import { type Confidence, lowest, type Price } from './price.ts';

/** One line of a monthly bill. */
export interface BillLine {
  /** `id` of the price. */
  readonly price: string;
  /** The provider's meter, in words. */
  readonly meter: string;
  readonly quantity: number;
  /** What is counted, singular. */
  readonly unit: string;
  /** Rounded to the cent on its own; only the sum before rounding makes the total. */
  readonly usd: number;
  readonly region: string;
  readonly date: string | null;
  readonly source: string;
  readonly confidence: Confidence;
}

export interface Bill {
  /** Exact. */
  readonly money: Money;
  readonly lines: readonly BillLine[];
}

/** Multiplies quantities by prices. */
export function makeBill(charges: readonly Charge[], findPrice: (id: string) => Price): Bill {
  let sum: Money = 0n;
  const lines = charges.map((charge) => {
    const price = findPrice(charge.price);
    const { money, confidence } = priced(price, charge.quantity);
    sum += money;
    const { meter, unit, region, date, source } = price;
    return {
      price: charge.price,
      meter,
      quantity: charge.quantity,
      unit,
      usd: toUsd(money),
      region,
      date,
      source,
      confidence,
    };
  });
  return { money: sum, lines };
}

/** Each band's price holds for the part of the quantity inside it; the confidence is that of the worst band reached. */
function priced(price: Price, quantity: number): { money: Money; confidence: Confidence } {
  if (price.bands === undefined) {
    return { money: cost(quantity, price.usd!, price.per), confidence: price.confidence };
  }
  let money: Money = 0n;
  let confidence = price.bands[0]!.confidence ?? price.confidence;
  let from = 0;
  for (const band of price.bands) {
    if (from > 0 && quantity <= from) break;
    const to = Math.min(quantity, band.upTo ?? Number.POSITIVE_INFINITY);
    money += cost(to - from, band.usd, price.per);
    confidence = lowest([confidence, band.confidence ?? price.confidence]);
    from = band.upTo ?? to;
  }
  return { money, confidence };
}
