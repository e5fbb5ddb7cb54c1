import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Uuid } from '../../../src/service-bus/rules/index.ts';
import { HttpNamespace } from './namespace.ts';

/** Documents in the forms that other clients write them. */
const fixture = (name: string): Buffer => readFileSync(new URL(`./fixtures/${name}.xml`, import.meta.url));

const keyOf = (word: string): string => Buffer.from(word.repeat(8)).toString('base64');

let namespace: HttpNamespace;

beforeAll(async () => {
  namespace = await HttpNamespace.start();
  namespace.broker.entities.createQueue('archive');
  namespace.broker.entities.createTopic('t');
  namespace.broker.entities.createSubscription('t', 's');
});
afterAll(() => namespace.close());

const put = (path: string, name: string) =>
  namespace.ask('PUT', `${path}?api-version=2021-05`, { body: fixture(name) });

describe('documents of other clients', () => {
  it('queues, as .NET writes them: a default namespace, a title, attributes', async () => {
    expect((await put('dotnet', 'queue-dotnet')).status).toBe(201);
    expect(namespace.broker.entities.queue('dotnet')?.description).toMatchObject({
      lockDurationMs: 60_000,
      requiresDuplicateDetection: true,
      defaultMessageTimeToLiveMs: Infinity,
      forwardTo: 'archive',
      userMetadata: 'some metadata',
      maxDeliveryCount: 10,
      authorizationRules: [
        {
          name: 'allClaims',
          rights: ['manage', 'send', 'listen'],
          primaryKey: keyOf('key1'),
          secondaryKey: keyOf('key2'),
        },
      ],
    });
  });

  it('queues, as Python writes them: a prefix for every element', async () => {
    expect((await put('python', 'queue-python')).status).toBe(201);
    expect(namespace.broker.entities.queue('python')?.description).toMatchObject({
      lockDurationMs: 13_000,
      deadLetteringOnMessageExpiration: true,
      maxDeliveryCount: 14,
      autoDeleteOnIdleMs: 600_000,
    });
  });

  it('subscriptions, as Go writes them, with a rule to start with', async () => {
    expect((await put('t/Subscriptions/go', 'subscription-go')).status).toBe(201);
    expect(namespace.broker.entities.subscription('t', 'go')?.description).toMatchObject({
      lockDurationMs: 50_000,
      requiresSession: true,
    });
    expect(namespace.broker.entities.rules('t', 'go')).toMatchObject([{ name: 'first', filter: { kind: 'false' } }]);
  });

  it('correlation filters, as .NET writes them: types under prefixes of their own', async () => {
    expect((await put('t/Subscriptions/s/Rules/correlation', 'rule-dotnet')).status).toBe(201);
    expect(namespace.broker.entities.rule('t', 's', 'correlation')).toMatchObject({
      filter: {
        kind: 'correlation',
        correlationId: 'correlationId',
        label: 'label',
        properties: new Map<string, unknown>([
          ['text', 'a & b'],
          ['whole', 5n],
          ['wide', 6_000_000_000n],
          ['half', 0.5],
          ['yes', true],
          ['when', new Date('2020-01-02T03:04:05.000Z')],
          ['id', new Uuid('0f8fad5b-d9cb-469f-a165-70867728950e')],
        ]),
      },
      action: { expression: 'SET size = @half', parameters: new Map([['@half', 1.5]]) },
    });
  });
});
