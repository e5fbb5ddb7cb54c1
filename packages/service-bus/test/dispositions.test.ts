import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { separateNeighbours } from '../src/sdk-internals/dispositions.ts';

/** The one that the SDK uses. */
const require = createRequire(
  createRequire(createRequire(import.meta.url).resolve('@azure/service-bus')).resolve('rhea-promise'),
);
const Session = require('rhea/lib/session.js');
const { accepted, modified } = require('rhea/lib/message.js');

interface Said {
  readonly first: number;
  readonly last: number;
  readonly state: { readonly descriptor: { readonly value: number }; readonly value: unknown };
}

function said(mends: boolean, outcomes: readonly unknown[]): Said[] {
  const frames: Said[] = [];
  const connection = { _register: () => {}, get_option: () => undefined, options: {} };
  const session = new Session(connection, 0);
  session.output = (frame: Said) => frames.push(frame);
  const link = { session, connection, is_receiver: () => true };
  const deliveries = outcomes.map((_, id) => ({ id, link, settled: false }));
  if (mends) separateNeighbours(deliveries[0]);
  for (const [at, outcome] of outcomes.entries()) {
    const state = outcome as { described?: () => unknown };
    session.incoming.update(deliveries[at], true, state.described === undefined ? state : state.described());
  }
  session.incoming.process(session);
  return frames;
}

const inWords = (frames: readonly Said[]) =>
  frames.map(
    ({ first, last, state }) => `${first}-${last} ${state.descriptor.value === 0x24 ? 'accepted' : 'modified'}`,
  );

it('what is said of a delivery is not said of the next one', () => {
  const outcomes = [accepted(), modified({ delivery_failed: true }), accepted(), accepted()];
  // Should this fail, rhea has mended it.
  expect(inWords(said(false, outcomes))[0]).toBe('0-1 accepted');
  expect(inWords(said(true, outcomes))).toEqual(['0-0 accepted', '1-1 modified', '2-3 accepted']);
});

it('nor is what is said with it', () => {
  const outcomes = [1, 2, 2].map((tries) => modified({ delivery_failed: true, message_annotations: { tries } }));
  expect(inWords(said(false, outcomes))[0]).toBe('0-1 modified');
  const frames = said(true, outcomes);
  expect(inWords(frames)).toEqual(['0-0 modified', '1-1 modified', '2-2 modified']);
  expect(JSON.stringify(frames[1]?.state)).toContain('2');
  expect(JSON.stringify(frames[0]?.state)).not.toContain('"value":2');
});
