import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBrokerProperties } from '../../../src/service-bus/http/messages/broker-properties.ts';
import { readUserProperties, writeUserProperties } from '../../../src/service-bus/http/messages/user-properties.ts';

describe('properties of a message in headers', () => {
  it('are text and dates in quotes, numbers, and truth values', () => {
    const headers = {
      Priority: '"High"',
      Customer: '"12345,ABC"',
      quote: '"say \\"hi\\""',
      path: '"C:\\dir"',
      Count: '42',
      Big: '9223372036854775807',
      TooBig: '9223372036854775808',
      Ratio: '-1.5e3',
      Yes: 'true',
      No: 'FALSE',
      When: '"Sun, 06 Nov 1994 08:49:37 GMT"',
      Umlaut: Buffer.from('"grün"').toString('latin1'),
    };
    expect(Object.fromEntries(readUserProperties(Object.entries(headers).flat()))).toEqual({
      Priority: 'High',
      Customer: '12345,ABC',
      quote: 'say "hi"',
      path: 'C:\\dir',
      Count: 42n,
      Big: 9223372036854775807n,
      TooBig: 2 ** 63,
      Ratio: -1500,
      Yes: true,
      No: false,
      When: new Date('1994-11-06T08:49:37Z'),
      Umlaut: 'grün',
    });
  });

  it('are not the headers of HTTP, of proxies and of tracing', () => {
    const headers = {
      'content-length': '12',
      Authorization: '"x"',
      BrokerProperties: '{}',
      'If-None-Match': '"etag"',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'X-Forwarded-For': '10.0.0.1',
      'x-ms-retrypolicy': 'NoRetry',
    };
    expect(readUserProperties(Object.entries(headers).flat()).size).toBe(0);
  });

  it('are read back as they were written', () => {
    const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/).map((text) => `p-${text}`);
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      // Whole numbers come back as such: a header does not tell that they once had a point.
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Number.isInteger(number)),
      fc.integer({ min: 0, max: 4e9 }).map((seconds) => new Date(seconds * 1000)),
    );
    fc.assert(
      fc.property(fc.dictionary(name, value), (properties) => {
        const headers = writeUserProperties(new Map(Object.entries(properties)));
        for (const header of Object.values(headers)) expect(header).toMatch(/^[\x20-\x7e]*$/);
        expect(readUserProperties(Object.entries(headers).flat())).toEqual(new Map(Object.entries(properties)));
      }),
    );
  });

  it('are left out when no header can have their name, or one already has it', () => {
    const properties = new Map(['with space', 'a:b', 'ü', '', 'Content-Type', 'location'].map((name) => [name, 'x']));
    expect(writeUserProperties(properties)).toEqual({});
  });
});

describe('BrokerProperties', () => {
  it('become what the broker knows, and the rest is ignored', () => {
    const read = readBrokerProperties({
      MessageId: 'm',
      Label: 'l',
      SessionId: 's',
      PartitionKey: 's',
      TimeToLive: 1.5,
      ScheduledEnqueueTimeUtc: 'Sun, 06 Nov 1994 08:49:37 GMT',
      DeliveryCount: 3,
      CorrelationId: null,
      __proto__: { To: 'polluted' },
    });
    expect(read).toEqual({
      messageId: 'm',
      subject: 'l',
      sessionId: 's',
      partitionKey: 's',
      timeToLiveMs: 1500,
      scheduledAtMs: Date.UTC(1994, 10, 6, 8, 49, 37),
    });
  });

  it('may say the time to live as a time span, and none at all', () => {
    expect(readBrokerProperties({ TimeToLiveTimeSpan: '0.00:00:40' })).toEqual({ timeToLiveMs: 40_000 });
    expect(readBrokerProperties({ TimeToLive: 922_337_203_685.4775 })).toEqual({});
  });

  it.each([
    [[]],
    ['text'],
    [{ MessageId: 5 }],
    [{ TimeToLive: 'soon' }],
    [{ TimeToLive: -1 }],
    [{ TimeToLive: 0 }],
    [{ TimeToLiveTimeSpan: '25:00:00' }],
    [{ ScheduledEnqueueTimeUtc: 'tomorrow' }],
    [{ SessionId: 'a', PartitionKey: 'b' }],
  ])('are refused: %j', (value) => {
    expect(() => readBrokerProperties(value)).toThrow(expect.objectContaining({ status: 400 }));
  });
});
