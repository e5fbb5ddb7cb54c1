import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

// Core knows no transport: what it has to say of them, adapters and tools bring. So no source of it names one, comments included.

const source = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** Services, products and protocols of theirs, and SDKs. */
const VENDORS =
  /\b(?:io)?redis\w*|\bvalkey|\bazure|\bsignal-?r\b|service[ -]?bus|\bsb:|event[ -]?grid|\bably\b|\bsocket\.io|\bkafka|\brabbit|\bnats\b|\bmqtt|\bamqp|\brhea|\bpubnub|\bpusher\b|\bsns\b|\bsqs\b|\bkinesis|\bxadd\b/i;
/** Where an endpoint is mounted: what hosts a program is no transport. */
const HOSTS = /\bAzure(?: Functions|Response)\b|\bazure(?= }|\()/g;
/** Transports of this repository without a vendor, where a name of theirs stands and not a word of English. */
const OTHERS = /\bmemory\(|\bmemory:|(['"`])(?:memory|udp)\1|\budp:/;
/** Packages beside core and the data that others bring. */
const PACKAGES = /@polycast\/(?!core\b|catalogue\b|<|name\b|\$\{)[\w-]+/;

function foundIn(pattern: RegExp): readonly string[] {
  return files.flatMap((file) => {
    const lines = readFileSync(join(source, file), 'utf8').split('\n');
    return lines.flatMap((text, at) => {
      const line = file === 'endpoint.ts' ? text.replaceAll(HOSTS, '') : text;
      const [word] = pattern.exec(line) ?? [];
      return word === undefined ? [] : [`${relative('.', file)}:${at + 1}: ${word}`];
    });
  });
}

describe('the sources of core', () => {
  test('name no vendor', () => expect(foundIn(VENDORS)).toEqual([]));
  test('name no other transport', () => expect(foundIn(OTHERS)).toEqual([]));
  test('name no package of a transport', () => expect(foundIn(PACKAGES)).toEqual([]));
  test('are all read', () => expect(files.length).toBeGreaterThan(100));
});

test.each([
  ['an adapter for Redis', VENDORS],
  ['Service Bus allows 50', VENDORS],
  ["'service-bus-sql'", VENDORS],
  ['as SignalR does', VENDORS],
  ['made by memory()', OTHERS],
  ["import x from '@polycast/some-adapter'", PACKAGES],
])('the patterns find: %s', (text, pattern) => expect(text).toMatch(pattern));
test.each([
  'it is probably held in memory',
  'signal, provably',
  '`@polycast/<name>` of `@polycast/core`',
  'sinks and snags',
])('the patterns leave: %s', (text) => {
  for (const pattern of [VENDORS, OTHERS, PACKAGES]) expect(text).not.toMatch(pattern);
});
