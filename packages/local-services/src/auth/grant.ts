import type { Right } from './access-rule.ts';
import { isWithin, parseAudience } from './audience.ts';
import { AuthError } from './error.ts';

/** The rights that a token or a key grants, their scope, and when they expire. */
export class Grant {
  /** In lower case: `''` is the whole namespace. */
  readonly audiencePath: string;
  readonly rights: ReadonlySet<Right>;
  /** Epoch ms; Infinity: as long as the connection. */
  readonly expiresAtMs: number;
  /** Of the shared access policy. */
  readonly rule: string | undefined;

  constructor(audiencePath: string, rights: Iterable<Right>, expiresAtMs: number, rule?: string) {
    this.audiencePath = audiencePath;
    this.rights = new Set(rights);
    this.expiresAtMs = expiresAtMs;
    this.rule = rule;
  }

  /** @param path of an entity, a sub-queue or `$management` of it, or a URI of these */
  allows(path: string, right: Right): boolean {
    if (!this.rights.has(right) && !this.rights.has('manage')) return false;
    try {
      return isWithin(parseAudience(path).path, this.audiencePath);
    } catch {
      return false;
    }
  }

  /** @throws AuthError when it does not allow that, in the words of the service */
  demand(path: string, right: Right): void {
    if (this.allows(path, right)) return;
    const claim = right.charAt(0).toUpperCase() + right.slice(1);
    throw new AuthError(
      `Unauthorized access. '${claim}' claim(s) are required to perform this operation. Resource: '${path}'.`,
    );
  }
}
