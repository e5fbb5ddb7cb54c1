import fc from 'fast-check';
import type { Expression, Predicate, Property } from '../../../src/service-bus/rules/tree.ts';
import { messageOf } from './messages.ts';

const NAMES = ['a', 'b', 'size', 'none', 'p', 'set', 'order id', 'a]b', 'and', 'größe', 'sys.To', '"'];
const SYSTEM = ['To', 'Label', 'CorrelationId', 'SequenceNumber'];

const property: fc.Arbitrary<Property> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(...NAMES).map((name) => ({ kind: 'property', scope: 'user', name }) as const),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...SYSTEM).map((name) => ({ kind: 'property', scope: 'sys', name }) as const),
  },
);
const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'A', '', "it's", 'a%', '_', '😀', '\ud83d', 'role:kitchen') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);
const value = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 4, arbitrary: fc.bigInt({ min: -3n, max: 3n }) },
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0.5, 2, -1, 1e21, 5e-7, 0.1 + 0.2),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
);
const constant = fc
  .oneof({ weight: 9, arbitrary: value }, fc.constant(null))
  .map((value): Expression => ({ kind: 'constant', value }));

const { expression, predicate } = fc.letrec<{ expression: Expression; predicate: Predicate }>((tie) => {
  const expression = tie('expression');
  const predicate = tie('predicate');
  const several = fc.array(predicate, { minLength: 2, maxLength: 3 });
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 4, arbitrary: property },
      { weight: 4, arbitrary: constant },
      fc.record({
        kind: fc.constant('arithmetic' as const),
        operator: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const, '%' as const),
        left: expression,
        right: expression,
      }),
      // The sign of a constant is part of the constant.
      fc.record({
        kind: fc.constant('sign' as const),
        operator: fc.constantFrom('+' as const, '-' as const),
        of: property,
      }),
      fc.record({ kind: fc.constant('named' as const), name: expression }),
    ),
    predicate: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('compare' as const),
          operator: fc.constantFrom(
            '=' as const,
            '=' as const,
            '<>' as const,
            '<' as const,
            '<=' as const,
            '>' as const,
          ),
          left: expression,
          right: expression,
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), of: several }) },
      fc.record({ kind: fc.constant('not' as const), of: predicate }),
      fc.record({ kind: fc.constant('null' as const), property, negated: fc.boolean() }),
      fc.record({ kind: fc.constant('exists' as const), property }),
      fc.record({
        kind: fc.constant('in' as const),
        of: expression,
        values: fc.array(expression, { minLength: 1, maxLength: 4 }),
        negated: fc.boolean(),
      }),
      fc.record(
        {
          kind: fc.constant('like' as const),
          of: expression,
          pattern: expression,
          escapedBy: fc.constantFrom('!', '\\', '%').map((value): Expression => ({ kind: 'constant', value })),
          negated: fc.boolean(),
        },
        { requiredKeys: ['kind', 'of', 'pattern', 'negated'] },
      ),
    ),
  };
});

/** Whose texts fit into a filter thrice. */
export const predicates = predicate.filter((tree) => print(tree).length < 300);
export { expression as expressions };

export const messages = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...NAMES), fc.oneof(value, fc.constant(null)), { maxKeys: 6 }),
    fc.dictionary(fc.constantFrom('to', 'label', 'correlationid'), text, { maxKeys: 3 }),
  )
  .map(([user, system]) => messageOf(user, { ...system, sequencenumber: 2n }));

/** With all the brackets there can be. */
export function print(node: Predicate | Expression): string {
  switch (node.kind) {
    case 'constant': {
      const { value } = node;
      if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
      if (typeof value !== 'number') return String(value).toUpperCase();
      const sign = value < 0 || Object.is(value, -0) ? '-' : '';
      const digits = String(Math.abs(value));
      return sign + (/^\d+$/.test(digits) ? `${digits}.0` : digits);
    }
    case 'property':
      return printProperty(node);
    case 'newid':
      return 'newid()';
    case 'named':
      return `property(${print(node.name)})`;
    case 'arithmetic':
      return `(${print(node.left)} ${node.operator} ${print(node.right)})`;
    case 'sign':
      return `(${node.operator}${print(node.of)})`;
    case 'not':
      return `(NOT ${print(node.of)})`;
    case 'and':
    case 'or':
      return `(${node.of.map(print).join(node.kind === 'and' ? ' AND ' : ' OR ')})`;
    case 'compare':
      return `(${print(node.left)} ${node.operator} ${print(node.right)})`;
    case 'null':
      return `(${printProperty(node.property)} IS ${node.negated ? 'NOT ' : ''}NULL)`;
    case 'exists':
      return `EXISTS(${printProperty(node.property)})`;
    case 'in':
      return `(${print(node.of)} ${node.negated ? 'NOT ' : ''}IN (${node.values.map(print).join(', ')}))`;
    case 'like': {
      const escapedBy = node.escapedBy === undefined ? '' : ` ESCAPE ${print(node.escapedBy)}`;
      return `(${print(node.of)} ${node.negated ? 'NOT ' : ''}LIKE ${print(node.pattern)}${escapedBy})`;
    }
  }
}

function printProperty({ scope, name }: Property): string {
  return `${scope}.[${name.replaceAll(']', ']]')}]`;
}
