import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpError } from '../../src/http/http-error.ts';
import { segmentsOf, withoutOuterSlashes } from '../../src/http/path-segments.ts';
import { RouteTable } from '../../src/http/route-table.ts';

const table = new RouteTable<string>([
  { path: '', methods: { GET: 'root' } },
  { path: 'Apps/{app}', methods: { GET: 'read', DELETE: 'delete' } },
  { path: 'apps/{app}/keys/{key}', methods: { GET: 'key' }, where: { key: /^\d+$/ } },
  { path: 'apps/{app}/{what}', methods: { POST: 'shared' }, isShared: true },
  { path: '{path+}/{what}', methods: { GET: 'deep' } },
]);
const find = (method: string, path: string) => table.find(method, segmentsOf(path));

describe('a table of routes', () => {
  it.each([
    ['GET', '/', 'root', {}],
    ['GET', '/apps/One', 'read', { app: 'One' }],
    ['DELETE', '/APPS/one/', 'delete', { app: 'one' }],
    ['GET', '/apps/one/keys/7', 'key', { app: 'one', key: '7' }],
    ['GET', '/apps/one/keys/x', 'deep', { path: 'apps/one/keys', what: 'x' }],
    ['POST', '/apps/one/two', 'shared', { app: 'one', what: 'two' }],
    ['GET', '/apps/one/two', 'deep', { path: 'apps/one', what: 'two' }],
    ['GET', '/a/b%2Fc/d', 'deep', { path: 'a/b/c', what: 'd' }],
  ])('%s %s', (method, path, endpoint, parameters) => {
    expect(find(method, path)).toEqual({ endpoint, parameters });
  });

  it('says which methods a path has, and which paths there are not', () => {
    expect(() => find('PUT', '/apps/one')).toThrow(
      expect.objectContaining({ status: 405, headers: { Allow: 'GET, DELETE' } }),
    );
    expect(() => find('PUT', '/apps/one/two')).toThrow(
      expect.objectContaining({ status: 405, headers: { Allow: 'GET' } }),
    );
    expect(() => find('GET', '/apps')).toThrow(expect.objectContaining({ status: 404 }));
    expect(() => find('constructor', '/')).toThrow(expect.objectContaining({ status: 405 }));
  });

  it('puts together what it took apart', () => {
    const segment = fc.stringMatching(/^[a-z]{1,5}$/);
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), segment, (before, what) => {
        fc.pre(before[0] !== 'apps');
        expect(table.find('GET', [...before, what])).toEqual({
          endpoint: 'deep',
          parameters: { path: before.join('/'), what },
        });
      }),
    );
  });
});

describe('segments of a path', () => {
  it('any number of slashes is read in one pass', () => {
    const many = '/'.repeat(1_000_000);
    expect(segmentsOf(`/a${many}b${many}`)).toHaveLength(1_000_001);
    expect(withoutOuterSlashes(`${many}a${many}b${many}`)).toHaveLength(1_000_002);
  });

  it('what is not encoded well is refused', () => {
    expect(() => segmentsOf('/%E0%A4%A')).toThrow(HttpError);
  });
});
