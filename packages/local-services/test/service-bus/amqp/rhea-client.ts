import { once } from 'node:events';
import rhea, { type Connection, type EventContext, type Message, type Receiver, type Sender } from 'rhea';
import { signSas } from '../../../src/auth/index.ts';
import { KEY } from './harness.ts';

/** A client of the protocol alone, for what the vendor's never does. */
export function connectRhea(port: number, options: object = {}): Connection {
  const container = rhea.create_container();
  const connection = container.connect({ host: '127.0.0.1', port, reconnect: false, ...options } as never);
  // Errors are looked for where they are expected.
  for (const event of ['error', 'connection_error', 'disconnected', 'protocol_error', 'connection_close']) {
    connection.on(event, () => {});
  }
  return connection;
}

/** Waits for one event of a link, session or connection. */
export async function event(of: unknown, name: string): Promise<EventContext> {
  const [context] = await once(of as NodeJS.EventEmitter, name);
  return context as EventContext;
}

/** Shows `$cbs` a token; resolves to the status that it answers. */
export async function putToken(
  connection: Connection,
  { rule = 'root', path = '', expiresAtMs = Date.now() + 60_000, ...properties }: PutToken = {},
): Promise<{ status: number; description: string }> {
  const audience = `sb://127.0.0.1/${path}`;
  const sender = connection.open_sender('$cbs');
  const receiver = connection.open_receiver({ source: '$cbs', target: 'replies' });
  await event(receiver, 'receiver_open');
  if (!sender.sendable()) await event(sender, 'sendable');
  const token = signSas(audience, { name: rule, key: KEY }, expiresAtMs);
  const reply = event(receiver, 'message');
  sender.send({
    message_id: 'put-token',
    reply_to: 'replies',
    application_properties: {
      operation: 'put-token',
      type: 'servicebus.windows.net:sastoken',
      name: audience,
      ...properties,
    },
    body: token,
  });
  const { message } = await reply;
  sender.close();
  receiver.close();
  const answer = message?.application_properties ?? {};
  return { status: answer['status-code'], description: answer['status-description'] };
}

interface PutToken {
  readonly rule?: string;
  readonly path?: string;
  readonly expiresAtMs?: number;
  readonly type?: string;
  readonly operation?: string;
}

/** Asks `$management` of an entity. */
export async function ask(
  connection: Connection,
  entity: string,
  operation: string,
  body: unknown,
): Promise<Message & { application_properties: Record<string, unknown> }> {
  const sender = connection.open_sender(`${entity}/$management`);
  const receiver = connection.open_receiver({ source: `${entity}/$management`, target: 'mgmt-replies' });
  await Promise.all([event(receiver, 'receiver_open'), sender.sendable() || event(sender, 'sendable')]);
  const reply = event(receiver, 'message');
  sender.send({
    message_id: 'request',
    reply_to: 'mgmt-replies',
    application_properties: { operation: `com.microsoft:${operation}`, 'com.microsoft:tracking-id': 'track' },
    body,
  } as Message);
  const { message } = await reply;
  sender.close();
  receiver.close();
  return message as never;
}

/** The error that a link is refused or detached with. */
export async function detachError(link: Sender | Receiver): Promise<{ condition: string; description: string }> {
  const kind = link.is_receiver() ? 'receiver' : 'sender';
  await event(link, `${kind}_error`);
  const { condition, description } = link.error as unknown as { condition: string; description: string };
  return { condition, description };
}

/** What the server attached the link to: null where it refused it. */
export function attachedTo(link: Sender | Receiver): unknown {
  const { source, target } = link;
  const terminus = (link.is_receiver() ? source : target) as unknown as { value?: unknown } | null;
  // rhea leaves a null as it was encoded.
  return terminus?.value === null ? null : (terminus ?? null);
}
