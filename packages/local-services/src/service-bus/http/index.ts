export type { AuthorityLike, GrantLike } from './authority.ts';
export { type HttpOptions, MAX_HEADER_BYTES, serveNamespace } from './serve.ts';
