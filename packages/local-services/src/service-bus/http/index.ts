export type { AuthorityLike, GrantLike } from './authority.ts';
export { type HttpHandler, type HttpOptions, serveHttp } from './serve.ts';
