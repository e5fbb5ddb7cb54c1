import { type BroadcastEvent, encodeEvent, eventFromBinary, PolycastError, parseJson } from '@polycast/core/adapter';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const REQUIRED = { specversion: '1.0', id: '1', source: '/x', type: 'order' };
const read = (more: Record<string, unknown>, rest: { data?: unknown; dataText?: string } = {}) =>
  eventFromBinary({ attributes: { ...REQUIRED, ...more }, ...rest });

describe('an event of binary content mode', () => {
  it('has the attributes that were found, timestamps as text', () => {
    const time = new Date('2026-01-02T03:04:05.678Z');
    const event = read({
      time,
      expirytime: '2026-01-02T04:00:00Z',
      sequence: 7,
      table: 4,
      hot: true,
      subject: 's',
      no: null,
    });
    expect(event.toJSON()).toEqual({
      ...REQUIRED,
      time: '2026-01-02T03:04:05.678Z',
      expirytime: '2026-01-02T04:00:00.000Z',
      sequence: '7',
      table: 4,
      hot: true,
      subject: 's',
    });
    expect(event.expiresAtMs).toBe(Date.parse('2026-01-02T04:00:00Z'));
  });

  it('parses its data when that is read', () => {
    expect(read({}, { dataText: '{"a":[1]}' }).data).toEqual({ a: [1] });
    expect(read({}, { data: new Uint8Array([1]) }).data).toEqual(new Uint8Array([1]));
    const broken = read({}, { dataText: '{' });
    expect(() => broken.data).toThrow(expect.objectContaining({ code: 'corrupt-event' }));
  });

  it.each([
    [{ specversion: '0.3' }, /specversion/],
    [{ id: undefined }, /id is missing/],
    [{ source: null }, /source is missing/],
    [{ type: '' }, /type must be a non-empty string/],
    [{ type: 7 }, /type must be a non-empty string/],
    [{ subject: '' }, /subject must be a non-empty string/],
    [{ datacontenttype: 'json' }, /not a media type/],
    [{ time: 'yesterday' }, /time is not an RFC 3339/],
    [{ expirytime: 'soon' }, /expirytime is not an RFC 3339/],
    [{ Table: 1 }, /lower-case/],
    [{ a_b: 1 }, /lower-case/],
    [{ table: 1.5 }, /attribute table must be/],
    [{ table: 2 ** 31 }, /attribute table must be/],
    [{ table: { n: 1 } }, /attribute table must be/],
    [{ table: new Date(Number.NaN) }, /attribute table must be/],
    [{ table: 'a\u0000b' }, /control character/],
    [{ table: 'x'.repeat(32_769) }, /too long/],
    [Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`a${n}`, 1])), /more than 128/],
  ])('%# is refused', (more, message) => {
    expect(() => read(more)).toThrow(expect.objectContaining({ code: 'corrupt-event' }));
    expect(() => read(more)).toThrow(message);
  });

  it('is what the JSON of the same event reads as', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.boolean(),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    );
    const attributes = fc.dictionary(fc.stringMatching(/^[a-z0-9]{1,12}$/), value, { maxKeys: 5 });
    fc.assert(
      fc.property(attributes, (more) => {
        let event: BroadcastEvent | undefined;
        try {
          event = read(more);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(PolycastError);
        }
        if (event !== undefined) expect(parseJson(encodeEvent(event))).toEqual(event.toJSON());
      }),
    );
  });
});
