import type { GrantLike, Right } from './authority.ts';

/** What one connection has been granted: by SASL, and by tokens for one audience each, of which the last one counts. */
export class Claims {
  readonly #grants = new Map<string, GrantLike>();

  /** @param audience '' for what SASL grants */
  add(audience: string, grant: GrantLike): void {
    this.#grants.set(audience.toLowerCase(), grant);
  }

  get size(): number {
    return this.#grants.size;
  }

  allows(path: string, right: Right, now: number): boolean {
    for (const grant of this.#grants.values()) {
      if (grant.expiresAtMs > now && grant.allows(path, right)) return true;
    }
    return false;
  }

  allowsAny(path: string, rights: readonly Right[], now: number): boolean {
    return rights.some((right) => this.allows(path, right, now));
  }

  /** When the next grant ends, epoch ms; Infinity: none does. Those that have ended are dropped. */
  nextExpiry(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [audience, grant] of this.#grants) {
      if (grant.expiresAtMs <= now) this.#grants.delete(audience);
      else next = Math.min(next, grant.expiresAtMs);
    }
    return next;
  }
}
