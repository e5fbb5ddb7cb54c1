import type { FilterSpec, PlainEvent } from './filters.ts';

/** A way to write and evaluate one filter. */
export interface FilterContender {
  compile(spec: FilterSpec): (event: PlainEvent) => boolean | Promise<boolean>;
}
