import type { AccessRule } from './access-rule.ts';
import { parseAudience, prefixesOf } from './audience.ts';
import { AuthError } from './error.ts';
import { Grant } from './grant.ts';
import { type JwtOptions, type JwtRules, verifyJwt } from './jwt.ts';
import { parseSas, sameSecret, verifySas } from './sas.ts';

export type TokenKind = 'sas' | 'jwt';

/** The shared access policies that hold now. */
export interface AccessRules {
  readonly namespace: readonly AccessRule[];
  /** Those of one queue or topic, by its path in lower case; none where there is no such entity. */
  entity(path: string): readonly AccessRule[];
}

export interface AuthorityOptions {
  /** What is asked of tokens of Entra ID. */
  readonly jwtRules: JwtRules;
  /** @default no signature is checked */
  readonly jwt?: JwtOptions;
}

/** Says what the bearer of a token or a key may do. Keeps no state: who was granted what is for the connection to know. */
export class Authority {
  readonly #rules: AccessRules;
  readonly #options: AuthorityOptions;

  constructor(rules: AccessRules, options: AuthorityOptions) {
    this.#rules = rules;
    this.#options = options;
  }

  /**
   * @param audience the resource the token is shown for, which the grant is then for: `sb://host/queue`
   * @param now epoch ms
   * @throws AuthError when the token is not genuine, not good (any more), or for another resource
   */
  async verify(kind: TokenKind, token: string, audience: string, now: number): Promise<Grant> {
    const asked = parseAudience(audience);
    if (kind === 'jwt') {
      const { rights, expiresAtMs } = await verifyJwt(token, this.#options.jwtRules, this.#options.jwt ?? {}, now);
      return new Grant(asked.path, rights, expiresAtMs);
    }
    const parsed = parseSas(token);
    // A policy of an entity signs for the entity and what is below it, and for nothing above.
    const entityRules = prefixesOf(parsed.resource.path).flatMap((path) => this.#rules.entity(path));
    const rule = verifySas(parsed, asked, [...this.#rules.namespace, ...entityRules], now);
    return new Grant(asked.path, rule.rights, parsed.expiresAtMs, rule.name);
  }

  /** SASL PLAIN: name and key of a policy of the namespace. @throws AuthError */
  plain(user: string, password: string): Grant {
    const named = this.#rules.namespace.filter(({ name }) => name === user);
    const rule = named.find(({ key, secondaryKey }) =>
      [key, secondaryKey].some((secret) => Boolean(secret) && sameSecret(secret!, password)),
    );
    if (rule === undefined)
      throw new AuthError('InvalidSignature: Unknown policy, or a key that does not belong to it.');
    return new Grant('', rule.rights, Number.POSITIVE_INFINITY, rule.name);
  }
}
