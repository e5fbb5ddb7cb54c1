/** What Event Grid evaluates of a filter. */
export { eventGrid } from './filter-target/event-grid.ts';
export type { EventGridFilter } from './filter-target/event-grid-filter.ts';
