import type { JSONWebKeySet } from 'jose';
import { ALL_RIGHTS, type Right } from './access-rule.ts';
import { AuthError } from './error.ts';
import { MAX_TOKEN_CHARACTERS } from './sas.ts';

/** What a service asks of a token of Entra ID, beside that it is genuine and good. */
export interface JwtRules {
  /** `aud`: what it must be issued for, one of these. The first one is named to who brings another. */
  readonly audiences: readonly string[];
  /** Built-in roles, as a `roles` claim may name them, and what they allow. */
  readonly roles: ReadonlyMap<unknown, readonly Right[]>;
}

/** How far the clock of who issued a token may be ahead, in ms. */
const CLOCK_SKEW_MS = 300_000;

/** Whose signatures are checked. The keys of Entra ID are out of reach here: without any of these, form and claims are. */
export interface JwtOptions {
  /** For HS256, HS384, HS512. */
  readonly hmacKey?: string;
  /** Public keys, by `kid` where there are several. */
  readonly keys?: JSONWebKeySet;
}

export interface JwtClaims {
  /** Of the roles that are known; all rights where the token names none of these. */
  readonly rights: readonly Right[];
  readonly expiresAtMs: number;
}

/** @param now epoch ms @throws AuthError when it is no such token, not signed by a key that is given, too old, too new, or for another service */
export async function verifyJwt(token: string, rules: JwtRules, options: JwtOptions, now: number): Promise<JwtClaims> {
  if (token.length > MAX_TOKEN_CHARACTERS) throw malformed();
  const { decodeJwt, decodeProtectedHeader } = await import('jose');
  if (options.hmacKey !== undefined || options.keys !== undefined) await verifySignature(token, options);
  let claims: ReturnType<typeof decodeJwt>;
  try {
    decodeProtectedHeader(token);
    claims = decodeJwt(token);
  } catch (error) {
    throw malformed(error);
  }
  const { exp, nbf, aud } = claims;
  if (!isDate(exp) || (nbf !== undefined && !isDate(nbf))) throw malformed();
  if (exp * 1_000 <= now) {
    throw new AuthError(`ExpiredToken: The token is expired. Expiration time: ${new Date(exp * 1_000).toISOString()}.`);
  }
  if (nbf !== undefined && nbf * 1_000 > now + CLOCK_SKEW_MS) {
    throw new AuthError('InvalidToken: The token is not valid yet.');
  }
  if (![aud].flat().some((one) => rules.audiences.includes(one as string))) {
    throw new AuthError(`InvalidAudience: The token must be for ${rules.audiences[0]}.`);
  }
  return { rights: rightsOf(claims.roles, rules), expiresAtMs: exp * 1_000 };
}

async function verifySignature(token: string, { hmacKey, keys }: JwtOptions): Promise<void> {
  const { compactVerify, createLocalJWKSet } = await import('jose');
  const ways: (() => Promise<unknown>)[] = [];
  if (hmacKey !== undefined) {
    const secret = new TextEncoder().encode(hmacKey);
    ways.push(() => compactVerify(token, secret, { algorithms: ['HS256', 'HS384', 'HS512'] }));
  }
  if (keys !== undefined) ways.push(() => compactVerify(token, createLocalJWKSet(keys)));
  const results = await Promise.allSettled(ways.map((way) => way()));
  if (results.some(({ status }) => status === 'fulfilled')) return;
  const [failure] = results as PromiseRejectedResult[];
  throw new AuthError('InvalidSignature: The token has an invalid signature.', { cause: failure!.reason });
}

function rightsOf(roles: unknown, rules: JwtRules): readonly Right[] {
  const known = [roles].flat().flatMap((role) => rules.roles.get(role) ?? []);
  return known.length > 0 ? known : ALL_RIGHTS;
}

function isDate(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && seconds >= 0 && seconds < 1e11;
}

function malformed(cause?: unknown): AuthError {
  return new AuthError('MalformedToken: The token is not a JSON Web Token with an expiry.', { cause });
}
