export type { AuthorityLike, GrantLike, Right } from './authority.ts';
export { type AmqpServer, type AmqpServerOptions, IDLE_TIMEOUT_MS, serveAmqp } from './server.ts';
