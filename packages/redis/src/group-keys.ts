import type { Address } from '@polycast/core/adapter';

/**
 * The keys that groups keep beside the streams of a topic, in the same slot of a cluster, where no address can be. They
 * go with the last group.
 */
export interface GroupKeys {
  /** What every key of the topic begins with. */
  readonly base: string;
  /** Sorted set: until when each member of each group counts as alive, by the server's clock. */
  readonly members: string;
  /**
   * Hash: which making of each group this is, what it is known to have lost, of which takeover it was told, and how to wake its
   * members.
   */
  readonly groups: string;
}

export function groupKeys(prefix: string, topic: string): GroupKeys {
  const base = `${prefix}:{${topic}}:`;
  return { base, members: `${base}~members`, groups: `${base}~groups` };
}

/** Sorted set: which entries with a partition key a group has not settled, in order, for each key. */
export function queueKey({ base }: GroupKeys, group: string, address: Address): string {
  return `${base}~queue:${group}@${address}`;
}
