import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseJsonWithComments } from '../../src/config-file/json-with-comments.ts';
import type { Entities } from '../../src/service-bus/broker/api.ts';
import { createBroker } from '../../src/service-bus/broker/index.ts';
import { ConfigFileError, declareEntities, readConfig } from '../../src/service-bus/config-file/index.ts';

const FILE = `\uFEFF{
  // As the vendor's emulator takes it.
  "$schema": "https://example.com//not-a-comment",
  "UserConfig": {
    "Namespaces": [{
      "Name": "shop",
      "Queues": [
        { "Name": "orders.late", "Properties": {
          "LockDuration": "PT1M30S", "MaxDeliveryCount": 3, "RequiresSession": true,
          "ForwardTo": "", "ForwardDeadLetteredMessagesTo": "Orders/Dead" } },
        { "Name": "orders/dead" /* no properties */ },
      ],
      "Topics": [{
        "Name": "events",
        "Properties": { "DefaultMessageTimeToLive": "P10675199DT2H48M5.4775807S", "RequiresDuplicateDetection": false },
        "Subscriptions": [
          { "Name": "all", "Properties": { "ForwardTo": "orders/dead" } },
          { "Name": "some", "Rules": [
            { "Name": "sql", "Properties": { "FilterType": "Sql",
              "SqlFilter": { "SqlExpression": "note = '// kept, ]'" }, "Action": { "SqlExpression": "SET sys.To = 'x'" } } },
            { "Name": "correlated", "Properties": { "FilterType": "Correlation",
              "CorrelationFilter": { "Label": "a", "Properties": { "n": 7, "x": 0.5, "b": true, "__proto__": "s" } } } },
          ] },
        ],
      }],
    }],
    "Logging": { "Type": "File" },
  },
}`;

describe('a start file', () => {
  it('declares entities, in order, with what it says of them and no more', async () => {
    const { name, entities } = await readConfig(onDisk(FILE));
    expect(name).toBe('shop');
    const events = 'UserConfig.Namespaces[0].Topics[0]';
    expect(entities).toEqual([
      {
        kind: 'queue',
        at: 'UserConfig.Namespaces[0].Queues[0]',
        path: 'orders.late',
        properties: {
          lockDurationMs: 90_000,
          maxDeliveryCount: 3,
          requiresSession: true,
          forwardDeadLetteredMessagesTo: 'Orders/Dead',
        },
      },
      { kind: 'queue', at: 'UserConfig.Namespaces[0].Queues[1]', path: 'orders/dead', properties: {} },
      {
        kind: 'topic',
        at: events,
        path: 'events',
        properties: { defaultMessageTimeToLiveMs: Number.POSITIVE_INFINITY, requiresDuplicateDetection: false },
      },
      {
        kind: 'subscription',
        at: `${events}.Subscriptions[0]`,
        topic: 'events',
        name: 'all',
        properties: { forwardTo: 'orders/dead' },
      },
      { kind: 'subscription', at: `${events}.Subscriptions[1]`, topic: 'events', name: 'some', properties: {} },
      {
        kind: 'rule',
        at: `${events}.Subscriptions[1].Rules[0]`,
        topic: 'events',
        subscription: 'some',
        name: 'sql',
        properties: {
          filter: { kind: 'sql', expression: "note = '// kept, ]'" },
          action: { expression: "SET sys.To = 'x'" },
        },
      },
      {
        kind: 'rule',
        at: `${events}.Subscriptions[1].Rules[1]`,
        topic: 'events',
        subscription: 'some',
        name: 'correlated',
        properties: {
          filter: {
            kind: 'correlation',
            label: 'a',
            properties: new Map<string, unknown>([
              ['n', 7n],
              ['x', 0.5],
              ['b', true],
              ['__proto__', 's'],
            ]),
          },
        },
      },
    ]);
  });

  it('may be given as an object', async () => {
    const { entities } = await readConfig(
      namespace({ Queues: [{ Name: 'q', Properties: { Status: 'SendDisabled' } }] }),
    );
    expect(entities).toMatchObject([{ kind: 'queue', path: 'q', properties: { status: 'SendDisabled' } }]);
    expect((await readConfig(namespace({}))).entities).toEqual([]);
  });

  const queue = (Properties: unknown, Name: unknown = 'q') => namespace({ Queues: [{ Name, Properties }] });
  const at = 'UserConfig.Namespaces[0]';
  const rule = (Properties: unknown) =>
    namespace({ Topics: [{ Name: 't', Subscriptions: [{ Name: 's', Rules: [{ Name: 'r', Properties }] }] }] });
  const ruleAt = `${at}.Topics[0].Subscriptions[0].Rules[0].Properties`;
  it.each<[unknown, string]>([
    [[], 'the file: must be an object, not []'],
    [{}, 'the file: UserConfig is missing'],
    [{ Userconfig: {} }, 'Userconfig: unknown name; did you mean "UserConfig"?'],
    [{ UserConfig: {} }, 'UserConfig: Namespaces is missing'],
    [{ UserConfig: { Namespaces: [{}, {}] } }, 'UserConfig.Namespaces: must hold exactly one namespace'],
    [
      { UserConfig: { Namespaces: [{}], Logging: { Type: 'file' } } },
      'UserConfig.Logging.Type: "file" is not an allowed value',
    ],
    [namespace({ Queue: [] }), `${at}.Queue: unknown name; did you mean "Queues"?`],
    [namespace({ 'a b': [] }), `${at}["a b"]: unknown name; available: "Name", "Queues", "Topics"`],
    [namespace({ Queues: {} }), `${at}.Queues: must be a list, not {}`],
    [namespace({ Queues: [{}] }), `${at}.Queues[0]: Name is missing`],
    [queue({}, ''), `${at}.Queues[0].Name: "" is not a valid queue or topic name`],
    [queue({}, 7), `${at}.Queues[0].Name: must be a string, not 7`],
    [queue({}, '/q'), `${at}.Queues[0].Name: "/q" is not a valid queue or topic name`],
    [queue({}, 'q'.repeat(261)), `${at}.Queues[0].Name: longer than 260 characters`],
    [
      queue({ LockDuraton: 'PT1M' }),
      `${at}.Queues[0].Properties.LockDuraton: unknown name; did you mean "LockDuration"?`,
    ],
    [queue({ LockDuration: 60 }), 'LockDuration: must be an ISO 8601 duration such as "PT1M", not 60'],
    [queue({ LockDuration: '1m' }), 'LockDuration: must be an ISO 8601 duration such as "PT1M", not "1m"'],
    [queue({ MaxDeliveryCount: 0 }), 'MaxDeliveryCount: must be a whole number of at least 1, not 0'],
    [queue({ RequiresSession: 'yes' }), 'RequiresSession: must be true or false, not "yes"'],
    [queue({ Status: 'Activ' }), 'Status: "Activ" is not an allowed value; did you mean "Active"?'],
    [queue(null), `${at}.Queues[0].Properties: must be an object, not null`],
    [
      namespace({ Queues: [{ Name: 'Same' }], Topics: [{ Name: 'same' }] }),
      `${at}.Topics[0].Name: ${at}.Queues[0] is called "same" already`,
    ],
    [
      namespace({ Topics: [{ Name: 't', Subscriptions: [{ Name: 'a/b' }] }] }),
      'Subscriptions[0].Name: "a/b" is not a valid subscription name',
    ],
    [rule(undefined), `${at}.Topics[0].Subscriptions[0].Rules[0].Properties: must be an object`],
    [rule({}), `${ruleAt}: FilterType is missing`],
    [rule({ FilterType: 'SQL' }), `${ruleAt}.FilterType: "SQL" is not an allowed value; did you mean "Sql"?`],
    [rule({ FilterType: 'Sql' }), `${ruleAt}: SqlFilter is missing`],
    [rule({ FilterType: 'Sql', SqlFilter: {} }), `${ruleAt}.SqlFilter: SqlExpression is missing`],
    [rule({ FilterType: 'Sql', CorrelationFilter: {} }), `${ruleAt}.CorrelationFilter: the rule's FilterType is "Sql"`],
    [rule({ FilterType: 'Correlation', CorrelationFilter: {} }), 'CorrelationFilter: must name at least one property'],
    [
      rule({ FilterType: 'Correlation', CorrelationFilter: { Properties: { a: null } } }),
      'CorrelationFilter.Properties.a: must be a string, a number, true or false',
    ],
    [
      rule({ FilterType: 'Correlation', CorrelationFilter: { Subject: 'x' } }),
      `${ruleAt}.CorrelationFilter.Subject: unknown name`,
    ],
  ])('%j is refused: %s', async (content, message) => {
    const refused = await readConfig(content as object).catch((error) => error);
    expect(refused).toBeInstanceOf(ConfigFileError);
    expect(refused.code).toBe('invalid-configuration');
    expect(refused.message).toContain(message);
  });

  it('is not held to the smaller limits of the emulator, and has the defaults of the service', async () => {
    const properties = { DefaultMessageTimeToLive: 'P14D', MaxDeliveryCount: 1_000, LockDuration: 'PT5M' };
    const many = Array.from({ length: 60 }, (_, at) => ({ Name: `q${at}`, Properties: at === 0 ? properties : {} }));
    const broker = createBroker();
    onTestFinished(() => broker.close());
    declareEntities(broker.entities, (await readConfig(namespace({ Name: 'any', Queues: many }))).entities);
    expect(broker.entities.queues()).toHaveLength(60);
    expect(broker.entities.queue('q0')!.description).toMatchObject({
      defaultMessageTimeToLiveMs: 1_209_600_000,
      maxDeliveryCount: 1_000,
      lockDurationMs: 300_000,
    });
    expect(broker.entities.queue('q1')!.description.defaultMessageTimeToLiveMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('may say where to log, which changes nothing', async () => {
    const content = { UserConfig: { Namespaces: [{ Queues: [{ Name: 'q' }] }] } };
    const logging = { UserConfig: { ...content.UserConfig, Logging: { Type: 'File' } } };
    expect(await readConfig(logging)).toEqual(await readConfig(content));
  });

  it('that cannot be read is told with its name, and where it breaks', async () => {
    await expect(readConfig('/nowhere/Config.json')).rejects.toThrow(
      /^\/nowhere\/Config\.json: cannot be read: no such file$/,
    );
    const path = onDisk('{\n  // comment\n  "UserConfig": nonsense\n}');
    await expect(readConfig(path)).rejects.toThrow(`${path}: line 3, column 17: `);
    const unknown = onDisk('{ "UserConfig": { "Namespaces": 1 } }');
    await expect(readConfig(unknown)).rejects.toThrow(`${unknown}: UserConfig.Namespaces: must be a list, not 1`);
  });

  it('whatever is in it, nothing but a ConfigFileError is thrown', async () => {
    const json = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: 'small' }, fc.string(), fc.integer(), fc.constant(null), tie('list'), tie('object')),
      list: fc.array(tie('any'), { maxLength: 3 }),
      object: fc.dictionary(
        fc.constantFrom('UserConfig', 'Namespaces', 'Name', 'Queues', 'Topics', 'Properties', 'Subscriptions', 'Rules'),
        tie('any'),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(json.object, async (content) => {
        for (const source of [content, { UserConfig: { Namespaces: [content] } }]) {
          await readConfig(source as object).catch((error) => expect(error).toBeInstanceOf(ConfigFileError));
        }
      }),
    );
  });
});

describe('JSON with comments', () => {
  it('is what JSON.parse makes of it without them', () => {
    const space = fc.constantFrom('', ' ', '\n', '// a "comment", }\n', '/* ] " // */');
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.array(space, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (value, fill, last) => {
          let at = 0;
          const filler = () => fill[at++ % fill.length]!;
          const write = (one: unknown): string => {
            const close = (open: string, parts: string[], end: string) =>
              `${open}${filler()}${parts.join(`${filler()},${filler()}`)}${last && parts.length > 0 ? ',' : ''}${filler()}${end}`;
            if (Array.isArray(one)) return close('[', one.map(write), ']');
            if (typeof one !== 'object' || one === null) return JSON.stringify(one);
            return close(
              '{',
              Object.entries(one).map(([k, v]) => `${JSON.stringify(k)}${filler()}:${write(v)}`),
              '}',
            );
          };
          expect(parseJsonWithComments(write(value))).toEqual(JSON.parse(JSON.stringify(value)));
        },
      ),
    );
  });

  it.each([
    ['', '1, column 1: expected a value (here the file ends)'],
    ['{,}', '1, column 2: expected a name in double quotes or "}"'],
    ['[1,,]', '1, column 4: expected a value'],
    ['/* open', '1, column 1: expected a value'],
    ['["a', '1, column 2: expected a value'],
    ['["\t"]', '1, column 2: expected a value'],
    ['[01]', '1, column 2: expected a value'],
    ['[1 2]', '1, column 4: expected "," or "]"'],
    ['{"a" 1}', '1, column 6: expected ":"'],
    ['{"a": 1 "b"}', '1, column 9: expected "," or "}"'],
    ['{"a": 1,\n "a": 2}', '2, column 2: "a" is given twice'],
    ['[1] // x\n ]', '2, column 2: nothing may follow'],
    ['['.repeat(1_000_000), '1, column 66: nested too deeply'],
  ])('%.20j is none', (text, message) => {
    expect(() => parseJsonWithComments(text)).toThrow(`line ${message}`);
  });

  it('any text is read or refused, as JSON.parse would', () => {
    const text = fc.array(fc.constantFrom(...'{}[]:,"\\ \n/*1-.e', 'true', 'null'), { maxLength: 12 });
    fc.assert(
      fc.property(text, (parts) => {
        const json = parts.join('');
        let expected: unknown;
        try {
          expected = JSON.parse(json);
        } catch {
          if (/\/|,\s*[}\]]/.test(json)) return;
          expect(() => parseJsonWithComments(json)).toThrow(ConfigFileError);
          return;
        }
        if (/"([^"]*)"\s*:.*"\1"\s*:/s.test(json)) return;
        expect(parseJsonWithComments(json)).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('declaring', () => {
  it('makes the first rule in place of $Default, and forwards when all is there', async () => {
    const { entities, calls } = recorder();
    declareEntities(entities, (await readConfig(onDisk(FILE))).entities);
    expect(calls).toEqual([
      ['createQueue', 'orders.late', { lockDurationMs: 90_000, maxDeliveryCount: 3, requiresSession: true }],
      ['createQueue', 'orders/dead', {}],
      ['createTopic', 'events', expect.anything()],
      ['createSubscription', 'events', 'all', {}],
      ['createSubscription', 'events', 'some', {}],
      ['deleteRule', 'events', 'some', '$Default'],
      ['createRule', 'events', 'some', expect.objectContaining({ name: 'sql', action: expect.anything() })],
      ['createRule', 'events', 'some', expect.objectContaining({ name: 'correlated' })],
      ['updateQueue', 'orders.late', { forwardDeadLetteredMessagesTo: 'Orders/Dead' }],
      ['updateSubscription', 'events', 'all', { forwardTo: 'orders/dead' }],
    ]);
  });

  it('is what the engine takes', async () => {
    const broker = createBroker();
    onTestFinished(() => broker.close());
    declareEntities(broker.entities, (await readConfig(onDisk(FILE))).entities);
    expect(broker.entities.queue('Orders.Late')?.description).toMatchObject({
      lockDurationMs: 90_000,
      forwardDeadLetteredMessagesTo: expect.stringMatching(/^orders\/dead$/i),
    });
    const rules = (name: string) => broker.entities.rules('events', name).map((rule) => rule.name);
    expect([rules('all'), rules('some')]).toEqual([['$Default'], expect.arrayContaining(['sql', 'correlated'])]);
    expect(rules('some')).toHaveLength(2);
  });

  it.each([
    [{ Queues: [{ Name: 'q', Properties: { ForwardTo: 'nowhere' } }] }, 'UserConfig.Namespaces[0].Queues[0]: '],
    [{ Queues: [{ Name: 'q', Properties: { LockDuration: 'PT1H' } }] }, 'UserConfig.Namespaces[0].Queues[0]: '],
    [
      { Topics: [{ Name: 't', Subscriptions: [{ Name: 's', Rules: [sqlRule('a ='), sqlRule('a = 1')] }] }] },
      'UserConfig.Namespaces[0].Topics[0].Subscriptions[0].Rules[0]: ',
    ],
  ])('%j is refused by the engine, with its place', async (content, place) => {
    const broker = createBroker();
    onTestFinished(() => broker.close());
    const { entities } = await readConfig(namespace(content));
    expect(() => declareEntities(broker.entities, entities)).toThrow(place);
    expect(() => declareEntities(createBroker().entities, entities)).toThrow(ConfigFileError);
  });

  it('tells where the service refused something', async () => {
    const { entities } = recorder('createTopic');
    const { entities: declared } = await readConfig(namespace({ Queues: [{ Name: 'q' }], Topics: [{ Name: 't' }] }));
    expect(() => declareEntities(entities, declared)).toThrow(
      new ConfigFileError('UserConfig.Namespaces[0].Topics[0]: createTopic is not possible'),
    );
  });
});

function sqlRule(SqlExpression: string): object {
  return { Name: `r${SqlExpression.length}`, Properties: { FilterType: 'Sql', SqlFilter: { SqlExpression } } };
}

function namespace(content: object): object {
  return { UserConfig: { Namespaces: [content] } };
}

function onDisk(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'polycast-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'Config.json');
  writeFileSync(path, text);
  return path;
}

/** Entities that note what is asked of them. */
function recorder(refuses?: string) {
  const calls: unknown[][] = [];
  const entities = new Proxy({} as Entities, {
    get:
      (_target, method: string) =>
      (...args: unknown[]) => {
        if (method === refuses) throw new Error(`${method} is not possible`);
        calls.push([method, ...args]);
        return undefined;
      },
  });
  return { entities, calls };
}
