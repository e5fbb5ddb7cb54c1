import jmespath from 'jmespath';
import { readAttribute } from '../../src/filter/attribute-value.ts';
import { compileCondition } from '../../src/filter/compile.ts';
import { conditionOf } from '../../src/filter/condition-of.ts';
import { treeOf } from '../../src/filter/condition-tree.ts';
import { evaluateTree } from '../../src/filter/evaluate.ts';
import { printFilter } from '../../src/filter/print.ts';
import type { FilterTarget, Pushed, PushOptions } from '../../src/filter/target.ts';
import { type EventGridFilter, matchesFilter } from '../../src/filter/targets/event-grid-filter.ts';
import { messageOf } from '../../src/filter/targets/service-bus-columns.ts';
import type { ServiceBusSqlFilter } from '../../src/filter/targets/service-bus-sql.ts';
import { evaluateSql } from '../../src/filter/targets/sql-evaluate.ts';
import type { FilterTree } from '../../src/filter/tree.ts';

export type Event = Readonly<Record<string, unknown>>;
/** One way in which a broker may read its native filter. */
type Reading = (event: Event) => boolean;

/** The truth that everything is held against: the evaluator, which knows nothing of conditions. */
export function passes(tree: FilterTree, event: Event): boolean {
  const { value, error } = evaluateTree(tree, event);
  return error === undefined && value === true;
}

/**
 * *Exact accepts ⇒ native accepts*, and *native and residual ⇔ exact*, for each event and each reading of the native filter.
 * @throws Error with the first event for which it is not so
 */
export function checkLaw(target: FilterTarget, tree: FilterTree, events: readonly Event[], options: PushOptions): void {
  const pushed = target.push(conditionOf(tree), options);
  const residual = compileCondition(pushed.residual);
  const readings = readingsOf(target, pushed);
  for (const event of events) {
    const wanted = passes(tree, event);
    const rest = residual(event);
    for (const [at, native] of readings.entries()) {
      const brought = native(event);
      if ((brought && rest) === wanted && (brought || !wanted)) continue;
      throw new Error(
        `${target.name}, reading ${at}: ${JSON.stringify(event)} ${wanted ? 'passes' : 'does not pass'}, ` +
          `native ${brought}: ${pushed.text}, residual ${rest}: ${printFilter(treeOf(pushed.residual))}`,
      );
    }
  }
}

/** What the pages of the vendors leave open is tried either way; JMESPath is evaluated by somebody else's library too. */
function readingsOf(target: FilterTarget, { native, accepts }: Pushed): readonly Reading[] {
  if (native === undefined) return [accepts];
  switch (target.name) {
    case 'service-bus-sql': {
      const { formula } = native as ServiceBusSqlFilter;
      return [undefined, false as const].flatMap((unlike) =>
        [true, false].flatMap((likeFoldsCase) =>
          [true, false].map((underscoreIsUnit): Reading => {
            const reading = { unlike, likeFoldsCase, underscoreIsUnit };
            return (event) => evaluateSql(formula, messageOf(event), reading) === true;
          }),
        ),
      );
    }
    case 'event-grid': {
      const filters = native as readonly EventGridFilter[];
      return [true, false].map((unlikeIsNot): Reading => {
        return (event) =>
          filters.every((filter) => matchesFilter(filter, (key) => readAttribute(event, key), unlikeIsNot));
      });
    }
    case 'ably':
      return [accepts, (event) => jmespath.search(messageOfAbly(event), native as string) === true];
    default:
      return [accepts];
  }
}

function messageOfAbly({ type, ...rest }: Event): object {
  const headers = Object.keys(rest).map((key) => [key, readAttribute(rest, key)] as const);
  // The library reads names that an object inherits as well.
  return { name: type, headers: Object.assign(Object.create(null), Object.fromEntries(headers)) };
}
