import { PolycastError, type Signal } from '@polycast/core';
import fc from 'fast-check';
import pc from 'picocolors';
import { expect, test, vi } from 'vitest';
import { showBytes, showMs, showUsd } from '../src/output/numbers.ts';
import { startProgress } from '../src/output/progress.ts';
import { hideSecrets } from '../src/output/secrets.ts';
import { describeSignal } from '../src/output/signal-line.ts';
import { type Terminal, wantsColor } from '../src/output/terminal.ts';
import { lineChart } from '../src/report/chart.ts';
import { markup } from '../src/report/markup.ts';

test.each([
  ['redis://user:hunter2@host:6379/0', 'redis://user:***@host:6379/0'],
  ['redis://:hunter2@host', 'redis://***@host'],
  ['ably://hunter2@host', 'ably://***@host'],
  ['unreachable: redis://a:p%40ss@h: ECONNREFUSED', 'unreachable: redis://a:***@h: ECONNREFUSED'],
  ['redis://a:p@ss@h/1', 'redis://a:***@h/1'],
  [
    'Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=hunter2=',
    'Endpoint=sb://x/;SharedAccessKeyName=***;SharedAccessKey=***',
  ],
  ['https://h/p?access_token=hunter2&x=1', 'https://h/p?access_token=***&x=1'],
  ['redis://host:6379?x=1', 'redis://host:6379?x=1'],
])('hides the secrets of %s', (text, shown) => {
  expect(hideSecrets(text)).toBe(shown);
});

test.each<[Signal, string]>([
  [
    { kind: 'disconnected', error: new PolycastError('disconnected', 'Connection is closed.') },
    'disconnected: Connection is closed.; trying to reconnect',
  ],
  // A gap may still follow: a stream that is gone is found when it is read.
  [{ kind: 'reconnected', downMs: 2_770, mayHaveLost: false }, 'reconnected: after 2.77 s; no known loss'],
])('%j is one line, with its kind once', (signal, line) => {
  expect(describeSignal(signal, { colors: pc.createColors(false), secrets: [] })).toBe(line);
});

test('a password never survives, wherever in a text its URL stands', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9%!*+,;=_~-]{8,20}$/);
  fc.assert(
    fc.property(word, fc.string(), fc.string(), (password, before, after) => {
      const text = `${before} redis://user:${password}@host ${after}`;
      fc.pre(text.split(password).length === 2);
      expect(hideSecrets(text)).not.toContain(password);
    }),
  );
});

test.each([
  [showMs(0.0421), '0.042 ms'],
  [showMs(13.84), '13.8 ms'],
  [showMs(1_234), '1.23 s'],
  [showMs(0), '0 ms'],
  [showUsd(1234.5), '$1,234.50'],
  [showUsd(null), '–'],
  [showBytes(1_500), '1.50 KB'],
  [showBytes(Number.POSITIVE_INFINITY), 'no limit'],
])('shows %s', (shown, expected) => {
  expect(shown).toBe(expected);
});

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ FORCE_COLOR: '1' }, false, true],
  [{ TERM: 'dumb' }, true, false],
])('with %j on a screen (%s): colours %s', (env, screen, colours) => {
  expect(wantsColor(env, screen)).toBe(colours);
});

test('markup escapes whatever is put into it', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { text: written } = markup`<b title="${text}">${text}</b>`;
      expect(written.slice(0, -4).match(/[<>]/g)).toHaveLength(2);
      expect(written.match(/"/g)).toHaveLength(2);
    }),
  );
});

test("names at a chart's right end never overlap and stay inside", () => {
  const heights = fc.array(fc.double({ min: 1, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(heights, (values) => {
      const { text } = lineChart({
        label: 'test',
        x: { title: 'x', domain: [1, 10], ticks: [] },
        y: { title: 'y', domain: [1, 1_000], ticks: [] },
        series: values.map((y, at) => ({ name: `n${at}`, style: at, points: [{ x: 10, y, tip: '' }] })),
        height: 400,
        smooth: false,
        nameWidth: 100,
      });
      const places = [...text.matchAll(/<text x="[\d.]+" y="([\d.]+)">n\d+/g)]
        .map(([, y]) => Number(y))
        .sort((a, b) => a - b);
      expect(places).toHaveLength(values.length);
      for (let at = 1; at < places.length; at++) expect(places[at]! - places[at - 1]!).toBeGreaterThanOrEqual(14.8);
      expect(places[0]).toBeGreaterThanOrEqual(0);
      expect(places.at(-1)).toBeLessThanOrEqual(400);
    }),
  );
});

test('a log is told every 30 s how far long work is', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    let written = '';
    const stderr = { write: (text: string) => (written += text) };
    const task = startProgress({ stderr, progressScreen: false } as unknown as Terminal).task('soak memory', 100);
    for (let n = 1; n <= 40; n++) {
      vi.advanceTimersByTime(1_000);
      task.update(n, `${n} histories`);
    }
    task.finish('done');
    expect(written).toBe('soak memory …\nsoak memory: 30 of 100, 30 histories\nsoak memory: done\n');
  } finally {
    vi.useRealTimers();
  }
});
