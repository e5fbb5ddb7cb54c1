/** What Ably evaluates of a filter. */
export { ably } from './filter-target/ably.ts';
