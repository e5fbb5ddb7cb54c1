import jmespath from 'jmespath';
import { readAttribute } from '../../core/src/filter/attribute-value.ts';
import {
  describeLaw,
  describeMutants,
  type Event,
  KIT_MUTANTS,
  type ReadingsOf,
} from '../../core/test/filter/push-down-law.ts';
import { ably } from '../src/filter-target.ts';

/** JMESPath is evaluated by another library, too. */
const readings: ReadingsOf = ({ native, accepts }) => [
  accepts,
  (event) => jmespath.search(messageOf(event), native as string) === true,
];

function messageOf({ type, ...rest }: Event): object {
  const headers = Object.keys(rest).map((key) => [key, readAttribute(rest, key)] as const);
  // The library reads names that an object inherits as well.
  return { name: type, headers: Object.assign(Object.create(null), Object.fromEntries(headers)) };
}

const { types, presence, formula, residual } = KIT_MUTANTS;

describeLaw(ably, readings);
describeMutants(
  'Ably',
  [types, presence, formula, residual],
  async () => (await import('../src/filter-target.ts')).ably,
  readings,
);
