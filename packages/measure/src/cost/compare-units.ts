/** One unit, as predicted and as metered. */
export interface UnitComparison {
  readonly unit: string;
  readonly predicted: number;
  readonly metered: number;
  /** metered − predicted */
  readonly difference: number;
  readonly equal: boolean;
}

/** Units of several broadcasters together. */
export function sumUnits(metered: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const [unit, count] of metered.flatMap(Object.entries<number>)) sum[unit] = (sum[unit] ?? 0) + count;
  return sum;
}

/**
 * Holds the model against a real run: `predictUnits` for what was sent, against `sumUnits` of every broadcaster's `metered`.
 * A unit that one side lacks counts as 0 there. Differences below a millionth of a unit are none.
 */
export function compareUnits(
  predicted: Readonly<Record<string, number>>,
  metered: Readonly<Record<string, number>>,
): readonly UnitComparison[] {
  const units = [...new Set([...Object.keys(predicted), ...Object.keys(metered)])].sort();
  return units.map((unit) => {
    const expected = predicted[unit] ?? 0;
    const counted = metered[unit] ?? 0;
    const difference = counted - expected;
    return { unit, predicted: expected, metered: counted, difference, equal: Math.abs(difference) < 1e-6 };
  });
}
