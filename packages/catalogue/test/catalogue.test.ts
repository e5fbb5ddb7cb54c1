import { CAPABILITIES } from '@polycast/core/adapter';
import { expect, test } from 'vitest';
import { OFFERED_BY, SCHEMES } from '../src/index.ts';

interface Script {
  collect(load: (name: string) => Promise<unknown>): Promise<{ OFFERED_BY: unknown; SCHEMES: unknown }>;
}

test('the catalogue says what the adapters say (else run scripts/catalogue.mjs)', async () => {
  const path = new URL('../../../scripts/catalogue.mjs', import.meta.url).href;
  const script = (await import(/* @vite-ignore */ path)) as Script;
  expect(await script.collect((name) => import(/* @vite-ignore */ name))).toEqual({ OFFERED_BY, SCHEMES });
});

test('every capability is there; who offers it natively comes first', () => {
  expect(Object.keys(OFFERED_BY)).toEqual(Object.keys(CAPABILITIES));
  expect(OFFERED_BY.durable).toEqual(['redis+streams', 'service-bus']);
  expect(OFFERED_BY.ttl).toEqual(expect.arrayContaining(['memory', 'redis', 'redis+streams']));
  expect(SCHEMES.aliases).toMatchObject({ rediss: 'redis' });
});
