import * as v from 'valibot';

/** How well a price is known. `high`: the vendor's page or two sources that agree. `medium`: one dated source. `low`: old, derived or uncited. */
export type Confidence = 'high' | 'medium' | 'low';

/** Best first. */
export const CONFIDENCES = ['high', 'medium', 'low'] as const satisfies readonly Confidence[];

/** The worst of several; `high` of none. */
export function lowest(confidences: readonly Confidence[]): Confidence {
  return CONFIDENCES[Math.max(0, ...confidences.map((it) => CONFIDENCES.indexOf(it)))]!;
}

const text = v.pipe(v.string(), v.nonEmpty());
const id = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]*$/));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
/** Nine decimals, so that arithmetic stays exact; what costs less is priced per thousand or million. */
const usd = v.pipe(
  amount,
  v.check((value) => Number(value.toFixed(9)) === value, 'at most 9 decimals'),
);
const confidence = v.picklist(CONFIDENCES);
const limits = v.record(v.pipe(v.string(), v.regex(/^[a-zA-Z]+$/)), amount);

const Band = v.strictObject({
  /** The band ends at this monthly quantity; the last band has no end. */
  upTo: v.optional(v.pipe(amount, v.minValue(1))),
  usd,
  /** When this band is known less well, or better, than the price as a whole. */
  confidence: v.optional(confidence),
});

const Price = v.pipe(
  v.strictObject({
    id,
    tier: v.optional(id),
    /** The provider's meter, in words for people. */
    meter: text,
    /** What is counted, singular. */
    unit: text,
    /** The price is for this many units: a power of ten. @default 1 */
    per: v.optional(v.picklist([1, 1_000, 10_000, 1_000_000, 1_000_000_000]), 1),
    /** One price whatever the quantity. */
    usd: v.optional(usd),
    /** A graduated price: each band's price holds for the part of the quantity inside it. A free grant is a first band of 0. */
    bands: v.optional(v.pipe(v.array(Band), v.minLength(1))),
    region: v.pipe(v.string(), v.regex(/^[a-z0-9]+$/)),
    /** Year, or year and month, of the source. Null: undated. */
    date: v.nullable(v.pipe(v.string(), v.regex(/^\d{4}(-(0[1-9]|1[0-2]))?$/))),
    source: text,
    confidence,
    note: v.optional(text),
  }),
  v.check((price) => (price.usd === undefined) !== (price.bands === undefined), 'give either usd or bands'),
  v.check((price) => price.bands === undefined || rising(price.bands), 'bands must rise, and only the last is open'),
);

const Size = v.strictObject({ id: text, price: id, limits });

const Tier = v.strictObject({
  id,
  title: text,
  /** False: free, or on one machine, and no availability is promised. @default true */
  serviceLevel: v.optional(v.boolean(), true),
  /** False: every subscriber gets every event, and groups cannot share them out. @default true */
  competingConsumers: v.optional(v.boolean(), true),
  note: v.optional(text),
  /** Numbers that decide whether a workload fits. Their names are those the service's model reads. */
  limits: v.optional(limits, {}),
  /** Numbers of units that can be bought, rising. */
  units: v.optional(v.array(v.pipe(v.number(), v.integer(), v.minValue(1)))),
  /** Sizes that can be bought: each has its price and its own limits. */
  sizes: v.optional(v.pipe(v.array(Size), v.minLength(1))),
});

/** One file of `prices/`: all that is known of what one service charges. */
export const PriceFileSchema = v.strictObject({
  service: id,
  title: text,
  /** URL schemes of the Polycast transports that run on it. */
  transports: v.array(text),
  currency: v.literal('USD'),
  /** What the service counts, in words. */
  billed: v.optional(text),
  /** What one might expect it to count, and it does not. */
  free: v.optional(text),
  /** What everybody who reads a price of this service must know. */
  note: v.optional(text),
  tiers: v.array(Tier),
  prices: v.array(Price),
});

export type PriceFileInput = v.InferInput<typeof PriceFileSchema>;
export type PriceFile = v.InferOutput<typeof PriceFileSchema>;
export type Price = PriceFile['prices'][number];
export type Tier = PriceFile['tiers'][number];
export type Size = v.InferOutput<typeof Size>;

function rising(bands: readonly v.InferOutput<typeof Band>[]): boolean {
  return bands.every((band, index) => {
    if (index === bands.length - 1) return band.upTo === undefined;
    return band.upTo !== undefined && band.upTo > (bands[index - 1]?.upTo ?? 0);
  });
}
