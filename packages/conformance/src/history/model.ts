import type { Address } from '@polycast/core';

/** What the model knows of one subscription. */
export interface ModelSubscription {
  readonly id: number;
  readonly slot: number;
  readonly role: string;
  readonly instance: string;
  readonly group: boolean;
  open: boolean;
  paused: boolean;
  /** Events it must get, each once. */
  readonly must: Set<number>;
  /** Events it may get, at most once: they could have been lost or have expired. */
  readonly may: Set<number>;
}

interface Published {
  readonly number: number;
  readonly way: string;
  readonly brief: boolean;
  /** Members of groups that competed for it: of each role one group. */
  readonly members: readonly ModelSubscription[];
  /** Those that it is for beside their group: it is for their instance. */
  readonly direct: readonly ModelSubscription[];
}

/**
 * The contract, small enough to be seen to be right: who must get an event, who may, and in which order.
 * It hears of each step after the broadcasters have done it.
 */
export class Model {
  readonly subscriptions: ModelSubscription[] = [];
  readonly #published: Published[] = [];

  /** What is still on its way to the broadcaster for another subscription of its own may reach the new one, too. */
  subscribe(
    slot: number,
    role: string,
    instance: string,
    group: boolean,
    received: (one: ModelSubscription) => readonly number[] = () => [],
  ): ModelSubscription {
    const onTheWay = this.open
      .filter((sibling) => sibling.slot === slot && sibling.group === group)
      .flatMap((sibling) => {
        const had = new Set(received(sibling));
        return [...sibling.must, ...sibling.may].filter((number) => !had.has(number));
      });
    const made: ModelSubscription = {
      id: this.subscriptions.length,
      slot,
      role,
      instance,
      group,
      open: true,
      paused: false,
      must: new Set(),
      may: new Set(onTheWay),
    };
    this.subscriptions.push(made);
    return made;
  }

  get open(): readonly ModelSubscription[] {
    return this.subscriptions.filter(({ open }) => open);
  }

  /** @returns the number the event carries as its data */
  publish(slot: number, session: string, to: readonly Address[], carbonCopy: boolean, brief: boolean): number {
    const number = this.#published.length;
    const entitled = this.open.filter((one) => answers(one, to) && (one.slot !== slot || carbonCopy));
    const direct = entitled.filter(({ group, instance }) => group && to.includes(`instance:${instance}`));
    for (const one of entitled) {
      if (!one.group || direct.includes(one)) (brief ? one.may : one.must).add(number);
    }
    const members = entitled.filter(({ group, role }) => group && (to.includes('*') || to.includes(`role:${role}`)));
    this.#published.push({ number, way: `${session} → ${[...new Set(to)].sort().join()}`, brief, members, direct });
    return number;
  }

  /** Everything brief has expired: what a paused subscription still holds must not come any more. */
  clock(received: (one: ModelSubscription) => readonly number[]): void {
    for (const one of this.open) {
      if (!one.paused || one.group) continue;
      const had = new Set(received(one));
      for (const { number, brief } of this.#published) if (brief && !had.has(number)) one.may.delete(number);
    }
  }

  /** The connection was lost, and the transport may lose events: what has not come yet may never come. */
  lossy(received: (one: ModelSubscription) => readonly number[]): void {
    for (const one of this.open) {
      const had = new Set(received(one));
      for (const number of one.must) {
        if (had.has(number)) continue;
        one.must.delete(number);
        one.may.add(number);
      }
    }
    this.#forgiven = this.#published.length;
  }

  #forgiven = 0;

  /** Events that some member of a role's group must have got by now. */
  get groupMust(): readonly { readonly role: string; readonly number: number }[] {
    return this.#published.flatMap(({ members, brief, number }) =>
      brief || number < this.#forgiven ? [] : [...rolesOf(members)].map((role) => ({ role, number })),
    );
  }

  /** @returns what is wrong with what the subscriptions received; empty if nothing is */
  judge(received: (one: ModelSubscription) => readonly number[]): readonly string[] {
    const wrong: string[] = [];
    for (const one of this.subscriptions) {
      const got = received(one);
      const name = `subscription ${one.id} of ${one.instance}${one.group ? ' in the group' : ''}`;
      wrong.push(...repeated(got).map((number) => `${name} got ${number} twice`), ...this.#disorder(name, got));
      const had = new Set(got);
      for (const number of one.must) if (!had.has(number)) wrong.push(`${name} did not get ${number}`);
      for (const number of got) {
        if (one.must.has(number) || one.may.has(number)) continue;
        if (!one.group) wrong.push(`${name} got ${number}, which was not for it`);
        else if (!this.#published[number]?.members.includes(one) && !this.#inherited(number, one)) {
          wrong.push(`${name} got ${number}, for which it did not compete`);
        }
      }
    }
    const all = this.subscriptions.filter(({ group }) => group);
    for (const role of rolesOf(all)) {
      const members = all.filter((one) => one.role === role);
      // Who gets it as the instance may have it for the group, too.
      const forGroup = members.flatMap((one) =>
        received(one).filter((number) => !this.#published[number]?.direct.includes(one)),
      );
      wrong.push(...repeated(forGroup).map((number) => `the group of role ${role} got ${number} twice`));
      const had = new Set(members.flatMap(received));
      for (const must of this.groupMust) {
        if (must.role === role && !had.has(must.number))
          wrong.push(`no member of the group of role ${role} got ${must.number}`);
      }
    }
    return wrong;
  }

  /**
   * A member that joined later may take over what another member held when it left. Where an instance was addressed as well nobody
   * waits for the group's own copy.
   */
  #inherited(number: number, heir: ModelSubscription): boolean {
    const published = this.#published[number];
    const members = published?.members.filter(({ role }) => role === heir.role) ?? [];
    return members.some((member) => !member.open || published?.direct.includes(member));
  }

  #disorder(name: string, got: readonly number[]): readonly string[] {
    const last = new Map<string, number>();
    const wrong: string[] = [];
    for (const number of got) {
      const way = this.#published[number]?.way ?? '?';
      const before = last.get(way);
      if (before !== undefined && before > number) wrong.push(`${name} got ${number} after ${before} (${way})`);
      last.set(way, number);
    }
    return wrong;
  }
}

function answers(one: { role: string; instance: string }, to: readonly Address[]): boolean {
  return to.some(
    (address) => address === '*' || address === `role:${one.role}` || address === `instance:${one.instance}`,
  );
}

function rolesOf(subscriptions: readonly ModelSubscription[]): ReadonlySet<string> {
  return new Set(subscriptions.map(({ role }) => role));
}

function repeated(numbers: readonly number[]): readonly number[] {
  const seen = new Set<number>();
  return numbers.filter((number) => {
    if (seen.has(number)) return true;
    seen.add(number);
    return false;
  });
}
