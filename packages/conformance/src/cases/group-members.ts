import type { Address, Broadcaster } from '@polycast/core';
import type { CaseContext } from '../context.ts';
import type { Inbox } from '../inbox.ts';

export const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);
export const all = (inboxes: readonly Inbox[]) => inboxes.flatMap(({ data }) => data);

/** Participants `worker/w-0` …, each with one member of the group. */
export async function workers(c: CaseContext, count: number, group = 'g'): Promise<Inbox[]> {
  const inboxes: Inbox[] = [];
  for (let n = 0; n < count; n++) inboxes.push(await c.listen(await c.join('worker'), { group }));
  return inboxes;
}

export async function publishAll(desk: Broadcaster, data: readonly unknown[]): Promise<void> {
  for (const value of data) await desk.publish({ type: 'job', data: value });
}

/** That many deliveries in all, and no more. @param to what the events were addressed to, if not to everyone */
export async function settled(
  c: CaseContext,
  desk: Broadcaster,
  inboxes: readonly Inbox[],
  count: number,
  to: readonly Address[] = [],
): Promise<void> {
  await c.until(
    () => all(inboxes).length >= count,
    () => `${count} deliveries in all, there are ${all(inboxes).length}`,
  );
  await c.fence(desk, inboxes, { group: true, to });
}

/** A handler that fails with each event `times` times, in whatever member, and then accepts it. */
export function failing(times: number) {
  const failures = new Map<unknown, number>();
  const accepted: unknown[] = [];
  return {
    accepted,
    react({ data }: { readonly data: unknown }): void {
      const before = failures.get(data) ?? 0;
      failures.set(data, before + 1);
      if (before < times) throw new Error('not yet');
      accepted.push(data);
    },
    async acceptedAll(c: CaseContext, count: number): Promise<void> {
      await c.until(
        () => accepted.length >= count,
        () => `${count} accepted, there are ${accepted.length}`,
      );
    },
  };
}
