import type { Manifest } from '@polycast/core';
import { redactUrl } from '@polycast/core/configuration';
import type { Terminal } from '../output/terminal.ts';
import { transportFromUrl } from '../transports.ts';

/** One transport to compare. */
export interface Subject {
  readonly name: string;
  readonly url: string;
  /** Is the service ours, so that a conformance run may have one of its own, and break it? */
  readonly local: boolean;
  /** What it claims. */
  readonly manifest: Manifest;
}

/** What has a service behind it can suffer more, and what claims more is asked more: begun first, they end with the others. */
export function longestFirst(subjects: readonly Subject[]): readonly Subject[] {
  return [...subjects].sort((left, right) => lengthOf(right) - lengthOf(left));
}

function lengthOf({ manifest: { via, capabilities } }: Subject): number {
  const claimed = Object.values(capabilities).filter(({ level }) => level !== 'none').length;
  return via === 'process' ? 0 : claimed;
}

/** The given URLs; else every transport that works without an account, on a Redis of our own or the one `POLYCAST_REDIS_URL` names. */
export async function chooseSubjects(
  urls: readonly string[] | undefined,
  terminal: Terminal,
): Promise<{ readonly list: readonly Subject[]; stop(): Promise<void> }> {
  if (urls !== undefined && urls.length > 0) return { list: await named(urls, false), stop: async () => {} };
  const given = terminal.env.POLYCAST_REDIS_URL;
  if (given) return { list: await named(defaults(given), false), stop: async () => {} };
  const { startRedis } = await import('@polycast/local-services');
  const server = await startRedis();
  try {
    return { list: await named(defaults(server.url), true), stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function defaults(redis: string): readonly string[] {
  const streams = redis.startsWith('rediss') ? 'rediss+streams' : 'redis+streams';
  return ['memory:', redis, redis.replace(/^[^:]+/, streams)];
}

/** @throws PolycastError for a URL that names no transport */
async function named(urls: readonly string[], local: boolean): Promise<readonly Subject[]> {
  const seen = new Map<string, number>();
  const subjects: Subject[] = [];
  for (const url of urls) {
    const { manifest } = await transportFromUrl(url);
    const { transport } = manifest;
    const count = (seen.get(transport) ?? 0) + 1;
    seen.set(transport, count);
    subjects.push({ name: count === 1 ? transport : `${transport} (${redactUrl(url)})`, url, local, manifest });
  }
  return subjects;
}
