export type { AuthorityLike, GrantLike, Right } from './authority.ts';
export { AUTHORISATION_DEADLINE_MS } from './connection.ts';
export { detectAmqp } from './protocol-header.ts';
export { type AmqpServer, type AmqpServerOptions, IDLE_TIMEOUT_MS, serveAmqp } from './server.ts';
export { amqpOverWebSockets } from './web-socket.ts';
