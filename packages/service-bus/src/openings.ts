import type { SubscriptionPlan } from './subscription-layout.ts';

/** Sources of one link that are opened at the same time, as a member of a group opens two: one error says what they all lack. */
export class Openings {
  readonly #underWay = new Set<Promise<void>>();
  #lacking: SubscriptionPlan[] = [];

  /**
   * @param opening resolves with what the source lacks that it may not create: nothing, if it is open
   * @returns if it lacks something, all that it and the others lack
   */
  async add(opening: Promise<readonly SubscriptionPlan[]>): Promise<readonly SubscriptionPlan[]> {
    const lacking = this.#lacking;
    let lacks = 0;
    const noted = opening
      .then((some) => {
        lacks = some.length;
        lacking.push(...some);
      })
      .finally(() => {
        this.#underWay.delete(noted);
        // Who is opened later begins anew.
        if (this.#underWay.size === 0) this.#lacking = [];
      });
    this.#underWay.add(noted);
    await noted;
    if (lacks === 0) return [];
    await Promise.allSettled(this.#underWay);
    return lacking;
  }
}
