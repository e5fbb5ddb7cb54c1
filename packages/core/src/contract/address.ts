import { PolycastError } from './error.ts';

/** Whom an event is for: everyone on the topic, all instances of a role, or one instance. */
export type Address = '*' | `role:${string}` | `instance:${string}`;

/** Everyone. The default of `publish`. */
export const EVERYONE = '*' satisfies Address;

/**
 * The address of control events (member queries, heartbeats and farewells): every participant that listens receives them. No role can
 * have this name, so no other event uses it.
 */
export const CONTROL = 'role:~control' satisfies Address;

/**
 * Names of roles, instances, groups and topics. The alphabet is what every transport can carry unescaped in a channel,
 * key, subject, group or entity name; a comma is left out because it separates addresses in the `to` attribute.
 */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._~-]*$/;
const TOPIC = /^[A-Za-z0-9][A-Za-z0-9._~/-]*$/;

/** Longest role, instance or group name, in characters (the strictest service allows 50 in the names of its subscriptions). */
export const MAX_NAME_LENGTH = 50;
/** Maximum length of a topic name, in characters (the strictest service allows 260; the rest is reserved for a prefix and a suffix). */
export const MAX_TOPIC_LENGTH = 200;
/** Maximum number of addresses of one event. */
export const MAX_ADDRESSES = 64;

export function isName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && NAME.test(text);
}

/** @throws PolycastError `invalid-address`; the message states the rule */
export function checkName(kind: 'role' | 'instance' | 'group' | 'deployment', text: unknown): string {
  if (typeof text === 'string' && isName(text)) return text;
  throw new PolycastError(
    'invalid-address',
    `${kind} ${quote(text)} must be 1-${MAX_NAME_LENGTH} of the characters A-Z a-z 0-9 . _ ~ - and start with a letter or digit`,
  );
}

/** @throws PolycastError `invalid-topic`; the message states the rule */
export function checkTopic(text: unknown): string {
  if (typeof text === 'string' && text.length <= MAX_TOPIC_LENGTH && TOPIC.test(text)) return text;
  throw new PolycastError(
    'invalid-topic',
    `topic ${quote(text)} must be 1-${MAX_TOPIC_LENGTH} of the characters A-Z a-z 0-9 . _ ~ / - and start with a letter or digit`,
  );
}

/** @throws PolycastError `invalid-address`. */
export function checkAddress(text: unknown): Address {
  if (text === EVERYONE) return EVERYONE;
  if (typeof text === 'string') {
    if (text.startsWith('role:') && isName(text.slice(5))) return text as Address;
    if (text.startsWith('instance:') && isName(text.slice(9))) return text as Address;
  }
  throw new PolycastError(
    'invalid-address',
    `${quote(text)} is not an address; write '*', 'role:<name>' or 'instance:<name>', the name being 1-${MAX_NAME_LENGTH} of A-Z a-z 0-9 . _ ~ -`,
  );
}

/** What looks like a URL or a connection string may hold a secret: somebody mixed up the options. */
function quote(value: unknown): string {
  if (typeof value !== 'string') return typeof value;
  return /[@=]|:\/\//.test(value) ? '(a URL?)' : JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
