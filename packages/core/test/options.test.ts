import {
  checkOptions,
  type OptionTable,
  option,
  type PolycastError,
  percentDecoded,
  readUrlOptions,
  type SettingsOf,
} from '@polycast/core/adapter';
import { fromUrl, type MemoryOptions, memory } from '@polycast/memory';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { MEMORY_OPTIONS } from '../../memory/src/from-url.ts';

interface RadioOptions {
  readonly station?: string;
  readonly volume?: number;
  readonly fadeMs?: number;
  readonly stereo?: boolean;
  readonly band?: 'am' | 'fm';
  readonly record?: boolean | 'on-demand';
  readonly antenna?: { readonly cm: number };
  readonly presets?: readonly string[];
  readonly key?: string;
}

const RADIO = {
  station: option.string({ default: 'one', inUrl: true }),
  volume: option.integer({ min: 10, max: 99, orZero: true, unit: 'percent', default: 50, inUrl: true }),
  fadeMs: option.duration({ min: 1, inUrl: true }),
  stereo: option.boolean({ default: true, inUrl: true }),
  band: option.oneOf(['am', 'fm'], { inUrl: true }),
  record: option.oneOf([true, false, 'on-demand'], { default: false, inUrl: true }),
  antenna: option.object<{ readonly cm: number }>(),
  presets: option.custom<readonly string[]>({
    expected: 'a list of stations',
    is: (value) => Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string'),
    read: (text, url) => (text === '' ? [url.hostname] : text.split(',')),
  }),
  key: option.string({ pattern: /^[a-z]+$/, expected: 'lower-case letters' }),
} satisfies OptionTable<RadioOptions>;

const TELEVISION = { ...RADIO, brightness: option.integer({ min: 0, inUrl: true }) };

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    expect((thrown as PolycastError).code).toBe('invalid-configuration');
    return (thrown as Error).message.replace('invalid-configuration: ', '');
  }
  return 'nothing was refused';
}

const check = (options: unknown) => checkOptions('radio', RADIO, options);

describe('a table of options', () => {
  it('fills in defaults, and takes undefined and null as not given', () => {
    const defaults = {
      station: 'one',
      volume: 50,
      fadeMs: undefined,
      stereo: true,
      band: undefined,
      record: false,
      antenna: undefined,
      presets: undefined,
      key: undefined,
    };
    expect(check({})).toEqual(defaults);
    for (const nothing of [undefined, null]) {
      expect(check(Object.fromEntries(Object.keys(RADIO).map((name) => [name, nothing])))).toEqual(defaults);
    }
    const given = { station: 'two', volume: 0, fadeMs: 2_147_483_647, stereo: false, record: 'on-demand' };
    expect(check(given)).toEqual({ ...defaults, ...given });
  });

  it.each([
    [{ station: '' }, 'radio: station must be a non-empty string'],
    [{ station: 5 }, 'radio: station must be a non-empty string'],
    [{ volume: 9 }, 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    [{ volume: 10.5 }, 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    [{ volume: '50' }, 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    [{ volume: Number.NaN }, 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    [{ volume: 50n }, 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    [{ fadeMs: 0 }, 'radio: fadeMs must be an integer from 1 to 2147483647 (ms)'],
    [{ fadeMs: 2 ** 31 }, 'radio: fadeMs must be an integer from 1 to 2147483647 (ms)'],
    [{ fadeMs: Number.POSITIVE_INFINITY }, 'radio: fadeMs must be an integer from 1 to 2147483647 (ms)'],
    [{ stereo: 'true' }, 'radio: stereo must be true or false'],
    [{ stereo: 0 }, 'radio: stereo must be true or false'],
    [{ band: 'lw' }, 'radio: band must be "am" or "fm"'],
    [{ record: 'true' }, 'radio: record must be true, false or "on-demand"'],
    [{ antenna: 5 }, 'radio: antenna must be an object'],
    [{ antenna: [] }, 'radio: antenna must be an object'],
    [{ antenna: () => {} }, 'radio: antenna must be an object'],
    [{ presets: [] }, 'radio: presets must be a list of stations'],
    [{ key: 'SECRET' }, 'radio: key must be lower-case letters'],
    [{ key: Symbol('SECRET') }, 'radio: key must be lower-case letters'],
    [{ stero: true }, 'radio: unknown option "stero"; did you mean "stereo"?'],
    [{ stero: undefined }, 'radio: unknown option "stero"; did you mean "stereo"?'],
    [Object.create({ stero: true }), 'radio: unknown option "stero"; did you mean "stereo"?'],
    [{ toString: 5 }, /^radio: unknown option "toString"; available: "station", /],
    [{ 'Endpoint=SECRET': 5 }, /^radio: unknown option; available: "station", /],
    [{ [`x${'y'.repeat(40)}`]: 5 }, /^radio: unknown option; available: /],
    ['fm', 'radio takes its options as an object'],
    [null, 'radio takes its options as an object'],
    [undefined, 'radio takes its options as an object'],
  ])('refuses %o', (options, message) => {
    expect(refusal(() => check(options))).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });

  it('says where a name belongs', () => {
    const siblings = { 'television()': TELEVISION };
    expect(refusal(() => checkOptions('radio', RADIO, { brightness: 5 }, { siblings }))).toBe(
      'radio: unknown option "brightness"; it belongs to television()',
    );
    expect(refusal(() => readUrlOptions(new URL('radio:?brightness=5'), RADIO, { 'television:': TELEVISION }))).toBe(
      'radio: unknown parameter "brightness"; it belongs to television:',
    );
  });

  it('ignores what a page has added to every object, and takes options without a prototype', () => {
    const prototype = Object.prototype as { addedByAPage?: unknown };
    prototype.addedByAPage = () => {};
    try {
      expect(check({ volume: 20 }).volume).toBe(20);
      expect(memory({ copy: true }).location).toBe('memory:default');
    } finally {
      delete prototype.addedByAPage;
    }
    expect(check(Object.assign(Object.create(null), { volume: 20 })).volume).toBe(20);
    expect(check(Object.create({ volume: 20 })).volume).toBe(20);
  });

  it('reads each option once', () => {
    let reads = 0;
    const options = {
      get volume() {
        return reads++ === 0 ? 20 : 'loud';
      },
    };
    expect(check(options).volume).toBe(20);
  });

  it('has the types of its options', () => {
    expectTypeOf<SettingsOf<typeof RADIO>>().toEqualTypeOf<{
      readonly station: string;
      readonly volume: number;
      readonly fadeMs: number | undefined;
      readonly stereo: boolean;
      readonly band: 'am' | 'fm' | undefined;
      readonly record: boolean | 'on-demand';
      readonly antenna: { readonly cm: number } | undefined;
      readonly presets: readonly string[] | undefined;
      readonly key: string | undefined;
    }>();
    type Two = { readonly volume?: number; readonly band?: 'am' | 'fm' };
    const volume = option.integer({ min: 0 });
    // @ts-expect-error an option is missing
    expect({ volume } satisfies OptionTable<Two>).toBeDefined();
    // @ts-expect-error it may be more than that
    expect({ volume, band: option.string() } satisfies OptionTable<Two>).toBeDefined();
    // @ts-expect-error it may be less than that
    expect({ volume, band: option.oneOf(['am']) } satisfies OptionTable<Two>).toBeDefined();
    // @ts-expect-error it is no option
    expect({ volume, band: option.oneOf(['am', 'fm']), key: volume } satisfies OptionTable<Two>).toBeDefined();
    expect({ volume, band: option.oneOf(['am', 'fm']) } satisfies OptionTable<Two>).toBeDefined();
  });
});

describe('parameters of a URL', () => {
  const read = (query: string) => readUrlOptions(new URL(`radio://here/?${query}`), RADIO);

  it('are read', () => {
    expect(read('')).toEqual({});
    expect(read('station=a%20b&volume=20&fadeMs=1&stereo=false&band=fm&record=on-demand&presets=a,b')).toEqual({
      station: 'a b',
      volume: 20,
      fadeMs: 1,
      stereo: false,
      band: 'fm',
      record: 'on-demand',
      presets: ['a', 'b'],
    });
    expect(read('presets=')).toEqual({ presets: ['here'] });
  });

  it.each([
    ['volume=2e1', 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    ['volume=0x20', 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    ['volume=20.0', 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    ['volume=%2020', 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    ['volume=', 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    ['volume', 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    ['volume=-20', 'radio: volume must be an integer from 10 to 99 (percent), or 0'],
    ['fadeMs=99999999999999999999', 'radio: fadeMs must be an integer from 1 to 2147483647 (ms)'],
    ['station=', 'radio: station must be a non-empty string'],
    ['stereo=TRUE', 'radio: stereo must be true or false'],
    ['stereo=1', 'radio: stereo must be true or false'],
    ['stereo=toString', 'radio: stereo must be true or false'],
    ['record=', 'radio: record must be true, false or "on-demand"'],
    ['band=lw', 'radio: band must be "am" or "fm"'],
    ['volume=20&volume=20', 'radio: parameter volume is given twice'],
    ['antenna=5', 'radio: antenna cannot be set by a URL parameter'],
    ['key=secret', 'radio: key cannot be set by a URL parameter'],
    ['stero=true', 'radio: unknown parameter "stero"; did you mean "stereo"?'],
    ['kez=a', expect.not.stringContaining('"key"')],
    ['__proto__=a', /^radio: unknown parameter "__proto__"; available: "station", /],
    ['toString=a', /^radio: unknown parameter "toString"; available: "station", /],
    ['pa@ss=a', /^radio: unknown parameter; available: "station", /],
  ])('%s is refused', (query, message) => {
    expect(refusal(() => read(query))).toEqual(message instanceof RegExp ? expect.stringMatching(message) : message);
  });

  it('mean what the option means: whatever a URL may say, options may say, too', () => {
    const text = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.constantFrom('true', 'false', 'am', 'on-demand', ''),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(RADIO)), text, { noNullPrototype: true }),
        (parameters) => {
          const url = new URL(`radio://h/?${new URLSearchParams(parameters)}`);
          let options: object;
          try {
            options = readUrlOptions(url, RADIO);
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: 'invalid-configuration' });
            return;
          }
          expect(Object.keys(options).sort()).toEqual(Object.keys(parameters).sort());
          expect(check(options)).toMatchObject(options);
        },
      ),
    );
  });

  it('are percent-decoded, or refused without being repeated', () => {
    expect(percentDecoded('a%20b', 'user')).toBe('a b');
    expect(refusal(() => percentDecoded('SECRET%zz', 'user'))).toBe(
      'the user of the URL is not correctly percent-encoded',
    );
  });
});

describe('memory', () => {
  it('checks its options as the table would', () => {
    const value = fc.oneof(fc.constantFrom(undefined, null, '', 'x', true, false, 0, Number.NaN), fc.anything());
    const name = fc.oneof(
      fc.constantFrom('hub', 'threads', 'copy', 'hubs', 'thread', 'copi'),
      fc.stringMatching(/^\w+$/),
    );
    // The check that pages get says nothing of names that differ from those of all objects.
    const options = fc.dictionary(
      name.filter((text) => !(text in Object.prototype)),
      value,
      { maxKeys: 3 },
    );
    fc.assert(
      fc.property(fc.oneof(options, fc.constantFrom(null, 5, 'x')), (given) => {
        const byTable = refusal(() => checkOptions('memory', MEMORY_OPTIONS, given));
        expect(refusal(() => memory(given as MemoryOptions))).toBe(byTable);
      }),
    );
  });

  it.each([
    ['memory:?hub=x', 'memory: hub cannot be set by a URL parameter'],
    ['memory:?copi=true', 'memory: unknown parameter "copi"; did you mean "copy"?'],
    ['memory:?threads=yes', 'memory: threads must be true or false'],
    ['memory:?copy=true&copy=true', 'memory: parameter copy is given twice'],
    ['memory:%zz', 'the hub of the URL is not correctly percent-encoded'],
  ])('%s is refused', (url, message) => {
    expect(refusal(() => fromUrl(new URL(url)))).toBe(message);
  });

  it('reads its URL', () => {
    expect(fromUrl(new URL('memory:a%20b?threads=true')).location).toBe('memory:a b?threads=true');
    expect(fromUrl(new URL('memory:')).location).toBe('memory:default');
  });
});
