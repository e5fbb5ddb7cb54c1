import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpError } from '../../../src/http/http-error.ts';
import { segmentsOf } from '../../../src/http/path-segments.ts';
import { managedPath, ROUTES } from '../../../src/service-bus/http/routes.ts';

const TOKEN = '0f8fad5b-d9cb-469f-a165-70867728950e';
const find = (method: string, path: string) => ROUTES.find(method, segmentsOf(path));

describe('routes', () => {
  it.each([
    ['GET', '/', {}],
    ['GET', '/$namespaceinfo', {}],
    ['GET', '/$Resources/Queues', {}],
    ['GET', '/$resources/TOPICS/', {}],
    ['PUT', '/orders/eu/new', { path: 'orders/eu/new' }],
    ['PUT', '/orders%2Feu', { path: 'orders/eu' }],
    ['GET', '/t/Subscriptions/', { topic: 't' }],
    ['GET', '/a/b/subscriptions/s', { topic: 'a/b', subscription: 's' }],
    ['GET', '/t/Subscriptions/s/Rules', { topic: 't', subscription: 's' }],
    ['PUT', '/t/Subscriptions/s/rules/$Default', { topic: 't', subscription: 's', rule: '$Default' }],
    ['GET', '/t/subscriptions/subscriptions/rules/r', { topic: 't', subscription: 'subscriptions', rule: 'r' }],
    ['GET', '/q/messages', { path: 'q/messages' }],
    ['PUT', '/q/messages', { path: 'q/messages' }],
    ['PUT', '/q/messages/head', { path: 'q/messages/head' }],
    ['PUT', '/q/messages/a/b', { path: 'q/messages/a/b' }],
    ['GET', '/subscriptions/s', { path: 'subscriptions/s' }],
    ['GET', '/t/subscriptions/s/x', { path: 't/subscriptions/s/x' }],
  ])('%s %s is administration', (method, path, parameters) => {
    expect(find(method, path)).toMatchObject({ parameters });
    expect(find(method, path).endpoint.isMessaging).toBeUndefined();
  });

  it.each([
    ['POST', '/q/messages', { path: 'q' }],
    ['POST', '/q/Messages/Head', { path: 'q' }],
    ['DELETE', '/t/subscriptions/s/messages/head', { path: 't/subscriptions/s' }],
    ['POST', '/q/$deadletterqueue/messages/head', { path: 'q/$deadletterqueue' }],
    ['DELETE', `/q/messages/17/${TOKEN}`, { path: 'q', message: '17', lockToken: TOKEN }],
  ])('%s %s is messaging', (method, path, parameters) => {
    expect(find(method, path)).toMatchObject({ endpoint: { isMessaging: true }, parameters });
  });

  it.each([
    ['PATCH', '/q', 'GET, PUT, DELETE'],
    ['PATCH', '/q/messages', 'GET, PUT, DELETE'],
    ['PUT', '/$namespaceinfo', 'GET'],
    ['DELETE', '/t/subscriptions/s/rules', 'GET'],
  ])('%s %s is refused, with what there is', (method, path, Allow) => {
    expect(() => find(method, path)).toThrow(expect.objectContaining({ status: 405, headers: { Allow } }));
  });

  it('operations of management are billed to the entity they are about', () => {
    expect(managedPath({})).toBe('');
    expect(managedPath({ path: 'a/b' })).toBe('a/b');
    expect(managedPath({ topic: 't' })).toBe('t');
    expect(managedPath({ topic: 't', subscription: 's', rule: 'r' })).toBe('t/Subscriptions/s');
  });

  it('every method and path has one, or is refused', () => {
    fc.assert(
      fc.property(fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH'), fc.webPath(), (method, path) => {
        try {
          expect(find(method, path).endpoint.answer).toBeTypeOf('function');
        } catch (error) {
          expect(error).toBeInstanceOf(HttpError);
        }
      }),
    );
  });
});
