import { PolycastError } from '../contract/error.ts';

/**
 * Instance ids in use in this process, each with the place and topic it is used on. Kept so that a second broadcaster
 * under the same name is refused; an entry lives as long as its broadcaster is open.
 */
const inUse = new Set<string>();

/** @returns gives the name free again. @throws PolycastError `duplicate-instance` */
export function claimInstance(location: string, topic: string, instance: string): () => void {
  const key = `${location}\n${topic}\n${instance}`;
  if (inUse.has(key)) {
    throw new PolycastError(
      'duplicate-instance',
      `instance '${instance}' is already open on topic '${topic}' in this process`,
    );
  }
  inUse.add(key);
  return () => void inUse.delete(key);
}
