import type { GrantLike, Right } from './authority.ts';

/**
 * What one connection has been granted: by SASL, and by tokens for one audience each, of which the last one counts. A client
 * with a thousand links has a thousand of them, and asks for every message: so they are found by path, not gone through.
 */
export class Claims {
  /** By audience: a path in lower case, '' for the namespace. */
  readonly #grants = new Map<string, GrantLike>();

  /** @returns whether an earlier grant for the same audience no longer counts */
  add(grant: GrantLike): boolean {
    const replaces = this.#grants.has(grant.audiencePath);
    this.#grants.set(grant.audiencePath, grant);
    return replaces;
  }

  get size(): number {
    return this.#grants.size;
  }

  allows(path: string, right: Right, now: number): boolean {
    return this.allowsAny(path, [right], now);
  }

  /** What is granted for an entity holds for all below it. */
  allowsAny(path: string, rights: readonly Right[], now: number): boolean {
    const asked = path.toLowerCase();
    for (let end = asked.length; end > 0; end = asked.lastIndexOf('/', end - 1)) {
      if (this.#granted(asked.slice(0, end), path, rights, now)) return true;
    }
    return this.#granted('', path, rights, now);
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

  #granted(audience: string, path: string, rights: readonly Right[], now: number): boolean {
    const grant = this.#grants.get(audience);
    return grant !== undefined && grant.expiresAtMs > now && rights.some((right) => grant.allows(path, right));
  }
}
