export { parseHttpDate, parseRfc1123 } from './http-date.ts';
export { badRequest, HttpError, notFound } from './http-error.ts';
export { withoutOuterSlashes } from './path-segments.ts';
export type { Reply } from './reply.ts';
export { HttpRequest } from './request.ts';
export { type Route, type RouteMatch, RouteTable } from './route-table.ts';
export { type HttpHandler, type HttpService, serveHttp } from './serve.ts';
