import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpError } from '../../../src/http/http-error.ts';
import { withoutOuterSlashes } from '../../../src/http/slashes.ts';
import { routeOf, segmentsOf } from '../../../src/service-bus/http/route.ts';

const TOKEN = '0f8fad5b-d9cb-469f-a165-70867728950e';
const route = (method: string, path: string) => routeOf(method, segmentsOf(path));

describe('routes', () => {
  it.each([
    ['GET', '/', { kind: 'root' }],
    ['GET', '/$namespaceinfo', { kind: 'namespace' }],
    ['GET', '/$Resources/Queues', { kind: 'list', of: 'queues' }],
    ['GET', '/$resources/TOPICS/', { kind: 'list', of: 'topics' }],
    ['PUT', '/orders/eu/new', { kind: 'entity', path: 'orders/eu/new' }],
    ['PUT', '/orders%2Feu', { kind: 'entity', path: 'orders/eu' }],
    ['GET', '/t/Subscriptions/', { kind: 'subscriptions', topic: 't' }],
    ['GET', '/a/b/subscriptions/s', { kind: 'subscription', topic: 'a/b', name: 's' }],
    ['GET', '/t/Subscriptions/s/Rules', { kind: 'rules', topic: 't', subscription: 's' }],
    ['PUT', '/t/Subscriptions/s/rules/$Default', { kind: 'rule', topic: 't', subscription: 's', name: '$Default' }],
    ['POST', '/q/messages', { kind: 'send', path: 'q' }],
    ['POST', '/q/Messages/Head', { kind: 'receive', path: 'q' }],
    ['DELETE', '/t/subscriptions/s/messages/head', { kind: 'receive', path: 't/subscriptions/s' }],
    ['POST', '/q/$deadletterqueue/messages/head', { kind: 'receive', path: 'q/$deadletterqueue' }],
    ['DELETE', `/q/messages/17/${TOKEN.toUpperCase()}`, { kind: 'locked', path: 'q', message: '17', lockToken: TOKEN }],
    ['GET', '/q/messages', { kind: 'entity', path: 'q/messages' }],
    ['PUT', '/q/messages', { kind: 'entity', path: 'q/messages' }],
    ['PUT', '/q/messages/head', { kind: 'entity', path: 'q/messages/head' }],
    ['PUT', '/q/messages/a/b', { kind: 'entity', path: 'q/messages/a/b' }],
    ['GET', '/subscriptions/s', { kind: 'entity', path: 'subscriptions/s' }],
    ['GET', '/t/subscriptions/s/x', { kind: 'entity', path: 't/subscriptions/s/x' }],
  ])('%s %s', (method, path, expected) => expect(route(method, path)).toEqual(expected));

  it('reads any number of slashes in one pass', () => {
    const many = '/'.repeat(1_000_000);
    expect(segmentsOf(`/a${many}b${many}`)).toHaveLength(1_000_001);
    expect(withoutOuterSlashes(`${many}a${many}b${many}`)).toHaveLength(1_000_002);
  });

  it('refuses what is not encoded well', () => {
    expect(() => segmentsOf('/%E0%A4%A')).toThrow(HttpError);
  });

  it('has one for every method and path', () => {
    fc.assert(
      fc.property(fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH'), fc.webPath(), (method, path) => {
        let segments: string[];
        try {
          segments = segmentsOf(path);
        } catch (error) {
          expect(error).toBeInstanceOf(HttpError);
          return;
        }
        expect(routeOf(method, segments).kind).toBeTypeOf('string');
      }),
    );
  });
});
