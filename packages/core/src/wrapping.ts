/**
 * What stands around publishes and handlers where a broadcaster has schemas or middleware. Most have neither: it is loaded
 * when `connect` is given one, so that a page without them does not download it.
 */

export { wrapHandler } from './handler-chain.ts';
export { checkMiddleware } from './middleware.ts';
export { publishThrough } from './publish-chain.ts';
export { checkSchemas } from './schema.ts';
