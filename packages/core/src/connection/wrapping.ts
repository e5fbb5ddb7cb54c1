/**
 * What stands around publishes, requests and handlers where a broadcaster has schemas or middleware. Most have neither: it is loaded
 * when `connect` is given one, so that a page without them does not download it.
 */

export { checkMiddleware } from '../contract/middleware.ts';
export { checkSchemas } from '../contract/schema.ts';
export { ReplyChecks } from '../control/reply-checks.ts';
export { wrapHandler } from '../deliver/handler-middleware.ts';
export { publishThrough } from '../publish/publish-middleware.ts';
