import { describe, expect, test } from 'vitest';
import { CATALOGUE, type CatalogueEntry, NAMES, transportsWith, unsupported } from '../src/catalogue.ts';
import { CAPABILITIES } from '../src/manifest.ts';
import { LoopTransport } from './loop-transport.ts';

interface Script {
  readonly URLS: readonly string[];
  entries(load: (name: string) => Promise<unknown>): Promise<CatalogueEntry[]>;
}

test('the catalogue says what the manifests say (else run scripts/catalogue.mjs)', async () => {
  const path = new URL('../../../scripts/catalogue.mjs', import.meta.url).href;
  const script = (await import(/* @vite-ignore */ path)) as Script;
  expect(await script.entries((name) => import(/* @vite-ignore */ name))).toEqual(CATALOGUE);
});

describe('what is not offered', () => {
  const { manifest } = new LoopTransport({ durable: 'none' });

  test('names who offers it, natively first', () => {
    expect(transportsWith('durable')).toEqual(['redis+streams', 'service-bus']);
    expect(transportsWith('ttl')).toEqual(expect.arrayContaining(['memory', 'redis', 'redis+streams']));
    const error = unsupported('durable', manifest, 'durable: true');
    expect(error.code).toBe('unsupported');
    expect(error.message).toMatch(
      /^unsupported: loop does not offer durable: true .*available on: redis\+streams, service-bus$/,
    );
  });

  test('is found in the order of the capabilities', () => {
    expect(NAMES.split(' ')).toEqual(Object.keys(CAPABILITIES));
  });
});
