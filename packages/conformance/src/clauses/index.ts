import type { Chapter, Clause, Grade } from '../clause.ts';
import { addressing } from './addressing.ts';
import { dedupe } from './dedupe.ts';
import { durable } from './durable.ts';
import { faults } from './faults.ts';
import { filter } from './filter.ts';
import { groups } from './groups.ts';
import { history } from './history.ts';
import { lifecycle } from './lifecycle.ts';
import { limits } from './limits.ts';
import { members } from './members.ts';
import { native } from './native.ts';
import { order } from './order.ts';
import { payloads } from './payloads.ts';
import { publish } from './publish.ts';
import { request } from './request.ts';
import { settlement } from './settlement.ts';
import { signals } from './signals.ts';
import { subscribe } from './subscribe.ts';
import { ttl } from './ttl.ts';

/** The contract, chapter by chapter. */
export const CHAPTERS: readonly Chapter[] = [
  addressing,
  publish,
  subscribe,
  filter,
  groups,
  settlement,
  order,
  ttl,
  payloads,
  dedupe,
  request,
  members,
  durable,
  signals,
  faults,
  lifecycle,
  limits,
  native,
  history,
];

/** Every clause by its id. */
export const CLAUSES: ReadonlyMap<string, Clause> = new Map(
  CHAPTERS.flatMap(({ clauses }) => clauses.map((clause) => [clause.id, clause] as const)),
);

/** @throws RangeError when there is no such clause: a mistake in a case */
export function gradeOf(id: string): Grade {
  const clause = CLAUSES.get(id);
  if (clause === undefined) throw new RangeError(`there is no clause '${id}'`);
  return clause.grade;
}
