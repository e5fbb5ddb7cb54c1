export type { AuthorityLike, GrantLike } from './authority.ts';
export { type HttpHandler, type HttpOptions, MAX_HEADER_BYTES, serveHttp } from './serve.ts';
