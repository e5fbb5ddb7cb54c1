import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { AccessRule } from './access-rule.ts';
import { type Audience, covers, parseAudience } from './audience.ts';
import { AuthError } from './error.ts';

/** Maximum length of a token of either kind, in characters. */
export const MAX_TOKEN_CHARACTERS = 32_768;

const SCHEME = /^SharedAccessSignature\s+/i;
const FIELDS = ['sr', 'sig', 'se', 'skn'] as const;
/** Year 5138: a number beyond it is no date. */
const MAX_SECONDS = 1e11;

export interface SasToken {
  readonly resource: Audience;
  /** `sr` letter by letter as it came: that is what was signed. */
  readonly signedResource: string;
  readonly signature: Buffer;
  readonly expiresAtMs: number;
  readonly keyName: string;
}

/**
 * A token that lets its bearer do what the rule allows, at this resource and below it.
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas
 */
export function signSas(audience: string, rule: Pick<AccessRule, 'name' | 'key'>, expiresAtMs: number): string {
  const resource = encodeURIComponent(audience);
  const seconds = Math.floor(expiresAtMs / 1_000);
  const signature = encodeURIComponent(hmac(rule.key, resource, seconds).toString('base64'));
  return `SharedAccessSignature sr=${resource}&sig=${signature}&se=${seconds}&skn=${encodeURIComponent(rule.name)}`;
}

/** @throws AuthError if it is not such a token. Does not check the signature. */
export function parseSas(token: string): SasToken {
  if (token.length > MAX_TOKEN_CHARACTERS || !SCHEME.test(token)) throw malformed();
  const fields = new Map<string, string>();
  for (const pair of token.replace(SCHEME, '').trim().split('&')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).toLowerCase();
    if (at < 1 || fields.has(name)) throw malformed();
    fields.set(name, pair.slice(at + 1));
  }
  const [signedResource, signature, seconds, keyName] = FIELDS.map((name) => fields.get(name) ?? '');
  if (!signedResource || !signature || !keyName || !/^\d{1,12}$/.test(seconds!)) throw malformed();
  if (Number(seconds) > MAX_SECONDS) throw malformed();
  return {
    resource: parseAudience(signedResource),
    signedResource,
    signature: Buffer.from(decode(signature), 'base64'),
    expiresAtMs: Number(seconds) * 1_000,
    keyName: decode(keyName),
  };
}

/**
 * Is it signed by one of these rules, still good, and for this audience? @returns the rule
 * @param now epoch ms
 * @throws AuthError otherwise. Whether there is a rule of that name is not told.
 */
export function verifySas(
  token: string | SasToken,
  audience: string | Audience,
  rules: readonly AccessRule[],
  now: number,
): AccessRule {
  const parsed = typeof token === 'string' ? parseSas(token) : token;
  const asked = typeof audience === 'string' ? parseAudience(audience) : audience;
  const rule = signerOf(parsed, rules);
  if (rule === undefined) throw new AuthError('InvalidSignature: The token has an invalid signature.');
  if (parsed.expiresAtMs <= now) {
    const at = new Date(parsed.expiresAtMs).toISOString();
    throw new AuthError(`ExpiredToken: The token is expired. Expiration time: ${at}.`);
  }
  if (!covers(parsed.resource, asked)) {
    throw new AuthError('InvalidAudience: The token was issued for a different resource.');
  }
  return rule;
}

/** Are they the same? Takes as long whether or not they are. */
export function sameSecret(left: string, right: string): boolean {
  const [one, other] = [left, right].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(one!, other!);
}

function signerOf({ keyName, signedResource, expiresAtMs, signature }: SasToken, rules: readonly AccessRule[]) {
  let signer: AccessRule | undefined;
  for (const rule of rules.filter(({ name }) => name === keyName)) {
    for (const key of [rule.key, rule.secondaryKey]) {
      if (!key) continue;
      const expected = hmac(key, signedResource, expiresAtMs / 1_000);
      if (signature.length === expected.length && timingSafeEqual(signature, expected)) signer ??= rule;
    }
  }
  return signer;
}

function hmac(key: string, resource: string, seconds: number): Buffer {
  return createHmac('sha256', key).update(`${resource}\n${seconds}`).digest();
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw malformed(error);
  }
}

function malformed(cause?: unknown): AuthError {
  return new AuthError('MalformedToken: The token must be "SharedAccessSignature sr=…&sig=…&se=…&skn=…".', { cause });
}
