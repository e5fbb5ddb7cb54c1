import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PolycastError } from '@polycast/core';
import {
  DEFAULT_WORKLOAD,
  loadPrices,
  loadWorkload,
  MAX_WORKLOAD_LENGTH,
  makeWorkload,
  parseWorkload,
  priceWorkload,
  WORKLOADS,
  type WorkloadInput,
} from '@polycast/measure';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const GOOD = `name: small
publishes: { perMonth: 1000 }
payloadBytes: 10
subscribers: 3
`;

/** The message of the coded error that reading the text must end in, without the code. */
function refusal(text: string, format: 'json' | 'yaml' = 'yaml'): string {
  try {
    parseWorkload(text, { file: 'w', format });
  } catch (error) {
    expect(error).toBeInstanceOf(PolycastError);
    expect((error as PolycastError).code).toBe('invalid-configuration');
    return (error as PolycastError).message.replace('invalid-configuration: ', '');
  }
  throw new Error('it was accepted');
}

describe('a workload that is right', () => {
  test('reads the same from YAML and from JSON, and gets its defaults', () => {
    const input: WorkloadInput = { name: 'small', publishes: { perMonth: 1000 }, payloadBytes: 10, subscribers: 3 };
    const workload = parseWorkload(GOOD);
    expect(workload).toEqual(makeWorkload(input));
    expect(workload).toEqual(parseWorkload(JSON.stringify(input), { format: 'json' }));
    expect(workload).toMatchObject({ envelopeBytes: 0, publishers: 1, receiveMode: 'peek-lock', pollSeconds: 30 });
  });

  test('comes with the package, and every one can be priced', () => {
    expect(Object.keys(WORKLOADS)).toContain('idle');
    expect(DEFAULT_WORKLOAD).toBe(WORKLOADS['order-tracking']);
    for (const workload of Object.values(WORKLOADS)) expect(priceWorkload(workload).length).toBeGreaterThan(0);
  });

  test('a profile of rates counts like the month it makes', () => {
    const base = { name: 'p', payloadBytes: 10, subscribers: 3 };
    const profile = [
      { perSecond: 2, hoursPerDay: 5, daysPerMonth: 20 },
      { perSecond: 1, hoursPerDay: 24, daysPerMonth: 30 },
    ];
    const perMonth = 2 * 3600 * 5 * 20 + 3600 * 24 * 30;
    const units = (publishes: WorkloadInput['publishes']) =>
      priceWorkload(makeWorkload({ ...base, publishes }), { services: ['service-bus'] })[0]!.billedUnits.operations;
    expect(units({ profile })).toBe(units({ perMonth }));
  });

  test('daily allowances are held against each kind of day of a profile', () => {
    const profile = [
      { perSecond: 100, hoursPerDay: 10, daysPerMonth: 10 },
      { perSecond: 1, hoursPerDay: 24, daysPerMonth: 30 },
    ];
    const workload = makeWorkload({ name: 'p', publishes: { profile }, payloadBytes: 10, subscribers: 1 });
    const [row] = priceWorkload(workload, { services: ['signalr'] });
    // On ten days 3.6M + 86,400 against one million; on the other twenty 86,400.
    expect(row!.billedUnits.extraMessages).toBe(10 * (3_600_000 + 86_400 - 1_000_000));
  });
});

describe('a workload that is wrong says where, and what was probably meant', () => {
  test.each([
    [
      'a misspelt key',
      GOOD.replace('subscribers', 'subscribrs'),
      'w:4:1: subscribrs: unknown key; did you mean "subscribers"?',
    ],
    [
      'a misspelt nested key',
      GOOD.replace('perMonth', 'perMnth'),
      'w:2:14: publishes.perMnth: unknown key; did you mean "perMonth"?',
    ],
    ['a key nothing is like', `${GOOD}colour: red\n`, 'w:5:1: colour: unknown key; available: "name", '],
    [
      'a misspelt service',
      `${GOOD}services:\n  signlr: {}\n`,
      'w:6:3: services.signlr: unknown key; did you mean "signalr"?',
    ],
    [
      'a misspelt value',
      `${GOOD}receiveMode: peeklock\n`,
      'w:5:14: receiveMode: unknown name "peeklock"; did you mean "peek-lock"?',
    ],
    [
      'a misspelt service in a list',
      `${GOOD}solution: [signalr, servicebus]\n`,
      'w:5:21: solution.1: unknown name "servicebus"; did you mean "service-bus"?',
    ],
    [
      'a misspelt tier',
      `${GOOD}services: { signalr: { tier: standrd } }\n`,
      'w:5:30: services.signalr.tier: unknown tier "standrd"; did you mean "standard"?',
    ],
    [
      'a misspelt unit',
      `${GOOD}services: { ably: { perPublish: { message: 1 } } }\n`,
      'unknown unit "message"; did you mean "messages"?',
    ],
    [
      'a unit where nothing is billed by use',
      `${GOOD}services: { memory: { perPublish: { messages: 1 } } }\n`,
      'unknown unit "messages": this service has none',
    ],
    ['a missing key', 'name: a\npublishes: { perMonth: 1 }\npayloadBytes: 1\n', 'w:1:1: subscribers: is missing'],
    [
      'underscores in a number',
      GOOD.replace('1000', '1_000'),
      'w:2:24: publishes.perMonth: must be a number, not the text "1_000": write 1000',
    ],
    ['a negative number', GOOD.replace('10\n', '-10\n'), 'w:3:15: payloadBytes: must be at least 0, not -10'],
    ['half a subscriber', GOOD.replace(': 3', ': 3.5'), 'w:4:14: subscribers: must be a whole number, not 3.5'],
    ['an infinite number', GOOD.replace('1000', '.inf'), 'must be at most 1000000000000000, not Infinity'],
    ['no number', GOOD.replace('1000', '.nan'), 'must be a number, not NaN'],
    ['shares that do not sum to 1', `${GOOD}fanOut: { everyone: 0.5 }\n`, 'w:5:9: fanOut: shares must sum to 1'],
    [
      'both ways to say how much',
      GOOD.replace('perMonth: 1000', 'perMonth: 1, profile: [{ perSecond: 1, hoursPerDay: 1 }]'),
      'w:2:12: publishes: give either perMonth or profile',
    ],
    ['neither way', GOOD.replace('perMonth: 1000', ''), 'w:2:12: publishes: give either perMonth or profile'],
    [
      'more groups than subscribers',
      `${GOOD}groups: 4\n`,
      'w:5:9: groups: 4 groups need at least 4 subscribers, not 3',
    ],
    [
      'an inferred path that leads nowhere',
      `${GOOD}inferred: [payloadBytes, payload]\n`,
      'w:5:26: inferred.1: the workload has no input "payload"',
    ],
    ['an empty name', GOOD.replace('small', '""'), 'w:1:7: name: must not be empty'],
    [
      'a list for a mapping',
      GOOD.replace('{ perMonth: 1000 }', '[1]'),
      'w:2:12: publishes: must be a mapping, not a list',
    ],
    ['text for a switch', `${GOOD}carbonCopy: yes\n`, 'w:5:13: carbonCopy: must be true or false, not "yes"'],
    ['nothing', '', 'w:1:1: a workload is a mapping of keys to values'],
    ['a number', '3', 'w:1:1: a workload is a mapping of keys to values'],
    ['broken YAML', 'name: [a\npublishes: 1\n', 'w:2:1: '],
    ['the same key twice', `${GOOD}name: again\n`, 'w:5:1: Map keys must be unique'],
    ['two documents', `${GOOD}---\n${GOOD}`, 'a second document'],
    ['an attack on the prototype', `${GOOD}__proto__: { subscribers: 9 }\n`, 'w:5:1: __proto__: unknown key'],
    ['too much text', `# ${'x'.repeat(MAX_WORKLOAD_LENGTH)}\n${GOOD}`, 'longer than'],
  ])('%s', (_, text, message) => {
    expect(refusal(text)).toContain(message);
  });

  test('aliases that multiply are refused before they are written out', () => {
    const ten = (name: string) => `[${Array(10).fill(`*${name}`).join(',')}]`;
    const bomb = `a: &a [x]\nb: &b ${ten('a')}\nc: &c ${ten('b')}\nd: &d ${ten('c')}\ne: ${ten('d')}\n`;
    expect(refusal(bomb)).toContain('alias');
  });

  test.each([
    ['flow lists', '['.repeat(30_000)],
    ['flow mappings', '{"a":'.repeat(10_000)],
    ['closed lists', `name: ${'['.repeat(3_000)}${']'.repeat(3_000)}`],
    ['brackets in texts', `${'["]", '.repeat(9_000)}`],
    [
      'blocks in steps',
      Array.from({ length: 44 }, (_, step) => `${' '.repeat(step * 60)}${'- '.repeat(30)}\n`).join(''),
    ],
    ['block lists', '- '.repeat(30_000)],
    ['block keys', '? '.repeat(30_000)],
    ['brackets after closed ones', `${']'.repeat(20_000)}${'['.repeat(20_000)}`],
    ['indented blocks', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
  ])('nesting that would exhaust the stack: %s', (_, text) => {
    expect(refusal(text)).toMatch(/^w:/);
    expect(refusal(text, 'json')).toMatch(/^w:/);
  });

  test('all problems at once, in the order of the text, ten at most', () => {
    const text = `${GOOD.replace(': 3', ': -3')}groups: 0\n`;
    expect(
      refusal(text)
        .split('\n')
        .map((line) => line.slice(0, 4)),
    ).toEqual(['w:4:', 'w:5:']);
    const many = GOOD + Array.from({ length: 14 }, (_, index) => `wrong${index}: 1\n`).join('');
    const lines = refusal(many).split('\n');
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('… and 4 more');
  });

  test('JSON is read strictly, and broken JSON says where', () => {
    expect(refusal('{"name": "a",\n "payloadBytes": 1,}', 'json')).toMatch(/^w:2:\d+: /);
    expect(refusal('{"name": "a"', 'json')).toMatch(/^w:1:\d+: /);
    expect(refusal('name: a', 'json')).toBe('w:1:1: unexpected "n": this is not JSON');
    expect(refusal('{"name": "a",\n  }', 'json')).toBe('w:2:3: unexpected "}": this is not JSON');
    expect(refusal('{', 'json')).toBe('w:1:2: unexpected end of the text: this is not JSON');
    const misspelt = '{ "name": "a", "publishes": { "perMonth": 1 },\n  "payloadBytes": 1, "subscriber": 2 }';
    expect(refusal(misspelt, 'json')).toContain('w:2:22: subscriber: unknown key; did you mean "subscribers"?');
  });

  test('JSON is refused exactly where JSON.parse refuses it', () => {
    const nearlyJson = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', ' ', '1', '-', '0', '\\', '\u0001', 'null', ':'),
      )
      .map(
        ([text, at, extra]) =>
          text.slice(0, at % (text.length + 1)) + extra + text.slice((at % (text.length + 1)) + (at % 2)),
      );
    const parses = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(nearlyJson, (text) => {
        const isJson = !refusal(text, 'json').includes('this is not JSON');
        expect(isJson, text).toBe(parses(text));
      }),
      { numRuns: 1_000 },
    );
  });

  test('whatever the text is, it is read or refused with the code', () => {
    const text = fc.oneof(fc.string(), fc.json(), fc.string({ unit: fc.constantFrom(...'{}[]:,-&*!|> \nname3') }));
    fc.assert(
      fc.property(text, fc.constantFrom('json' as const, 'yaml' as const), (input, format) => {
        expect(refusal(input, format)).toMatch(/^w:/);
      }),
      { numRuns: 300 },
    );
  });
});

describe('files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'polycast-cost-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };

  test('the ending decides the format', async () => {
    const yaml = await loadWorkload(await file('a.yaml', GOOD));
    const json = await loadWorkload(await file('a.json', JSON.stringify(yaml)));
    expect(json).toEqual(yaml);
    await expect(loadWorkload(await file('b.json', GOOD))).rejects.toThrow(/b\.json:1:/);
  });

  test.each([
    ['is missing', 'none.yaml', 'no such file'],
    ['is a folder', '.', 'it is a directory'],
  ])('a file that %s is refused with the code', async (_, name, reason) => {
    await expect(loadWorkload(join(folder, name))).rejects.toMatchObject({
      code: 'invalid-configuration',
      message: expect.stringContaining(reason),
    });
  });

  test('a file that is far too large is not read', async () => {
    const large = await file('large.yaml', 'x'.repeat(MAX_WORKLOAD_LENGTH + 1));
    await expect(loadWorkload(large)).rejects.toThrow(/too large \(65537 bytes, maximum 65536\)/);
  });

  test('prices of your own take the place of the packaged ones', async () => {
    const own = `service: event-grid
title: Event Grid as agreed
transports: [event-grid]
currency: USD
tiers: [{ id: basic, title: Basic, limits: { subscriptions: 500, eventBytes: 1048576, eventsPerSecond: 5000, bytesPerSecond: 5e6 } }]
prices:
  - { id: operations, meter: Operations, unit: operation, per: 1000000, usd: 0.10, region: japaneast, date: '2026-10', source: agreement, confidence: high }
`;
    const prices = await loadPrices([await file('own.yaml', own)]);
    const workload = makeWorkload({ name: 'w', publishes: { perMonth: 5e6 }, payloadBytes: 1, subscribers: 1 });
    const rows = priceWorkload(workload, { prices, services: ['event-grid', 'event-hubs'], region: 'japaneast' });
    expect(rows[0]).toMatchObject({ monthlyUsd: 1, priceDate: '2026-10', regions: ['japaneast'], notes: [] });
    expect(rows[1]!.notes.join()).toContain('No price for japaneast: that of eastus is shown');
    await expect(loadPrices([await file('bad.yaml', own.replace('usd', 'eur'))])).rejects.toThrow(/bad\.yaml: .*eur/);
  });
});
