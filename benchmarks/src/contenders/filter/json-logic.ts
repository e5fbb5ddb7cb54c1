import type { FilterSpec } from '../../filter/filters.ts';

/** JSON Logic has no test for a prefix; each engine is given `starts`. */
export function logicOf({ type, regions, above, prefix }: FilterSpec): Record<string, unknown> {
  return {
    and: [
      { '===': [{ var: 'type' }, type] },
      { in: [{ var: 'region' }, regions] },
      { '>': [{ var: 'priority' }, above] },
      { starts: [{ var: 'subject' }, prefix] },
    ],
  };
}
