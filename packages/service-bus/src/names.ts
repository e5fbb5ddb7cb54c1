import { createHash } from 'node:crypto';

/** Longest name of a subscription or rule, in characters. */
const MAX_NAME_LENGTH = 50;
/** Longest path of a topic that leaves room for its subscriptions' own, in characters. */
const MAX_PATH_LENGTH = 200;
/** Hexadecimal digits of a hash: 48 bits, as names are few. */
const HASH_LENGTH = 12;

/** What ends like a hashed name is hashed, so that no plain name is taken for one. */
const LOOKS_HASHED = new RegExp(`-[0-9a-f]{${HASH_LENGTH}}$`);
/** Service Bus compares without case, and takes no `~`. Words of its own addresses cannot be parts of a name. */
const PLAIN = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?:\/[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)*$/;
const OWN_WORDS = /(?:^|\/)(?:subscriptions|rules|messages)(?:\/|$)/;

/** The Service Bus topic of a Polycast topic: its own name where that is possible, and never the same for two of them. */
export function topicName(prefix: string, topic: string): string {
  const isPlain =
    PLAIN.test(topic) && !OWN_WORDS.test(topic) && !LOOKS_HASHED.test(topic) && topic.length <= MAX_PATH_LENGTH;
  if (isPlain) return prefix + topic;
  return prefix + hashed(readable(topic), [topic], MAX_PATH_LENGTH);
}

/** The name of a subscription or rule, made of what it is for. Different parts give different names. */
export function entityName(...parts: readonly string[]): string {
  return hashed(parts.map(readable).filter(Boolean).join('.'), parts, MAX_NAME_LENGTH);
}

/** The name of a rule: the same for the same text, and for no other. */
export function ruleName(text: string): string {
  return hashed('rule', [text], MAX_NAME_LENGTH);
}

function hashed(text: string, parts: readonly string[], maxLength: number): string {
  const hash = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, HASH_LENGTH);
  const head = text.slice(0, maxLength - HASH_LENGTH - 1).replace(/[^a-z0-9]+$/, '');
  return head === '' ? `x-${hash}` : `${head}-${hash}`;
}

function readable(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
}
