/** Where a link leads. Paths are as the client wrote them, without scheme, host and outer slashes. */
export type Address =
  | { readonly kind: 'cbs' }
  | { readonly kind: 'management'; readonly path: string; readonly entity: string }
  | { readonly kind: 'entity'; readonly path: string };

const SCHEME_AND_HOST = /^[a-z][a-z\d+.-]*:\/\/[^/]*\/?/i;
const MANAGEMENT = /(?:^|\/)\$management$/i;

/** @param address as in source or target: a path, or a whole URI */
export function parseAddress(address: string): Address {
  const path = address.replace(SCHEME_AND_HOST, '').replace(/^\/+|\/+$/g, '');
  if (path.toLowerCase() === '$cbs') return { kind: 'cbs' };
  if (MANAGEMENT.test(path)) return { kind: 'management', path, entity: path.replace(MANAGEMENT, '') };
  return { kind: 'entity', path };
}
