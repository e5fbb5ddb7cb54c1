import { CODE } from '../../message/encoding/value.ts';
import type { BodyWriter, Operation, OperationContext } from './answer.ts';
import { type Arguments, bad } from './arguments.ts';
import { entry } from './messages.ts';

/** How .NET writes its last time, in epoch ms: clients ask by it for sessions with messages. */
const NET_MAX_TIME_MS = 253_402_300_800_000;

/** Operations on sessions. */
export const SESSION_OPERATIONS: readonly (readonly [string, Operation])[] = [
  ['renew-session-lock', { right: 'listen', run: renew }],
  ['set-session-state', { right: 'listen', run: setState }],
  ['get-session-state', { right: 'listen', run: getState }],
  ['get-message-sessions', { right: 'listen', run: list }],
];

function renew({ broker, entity }: OperationContext, body: Arguments): BodyWriter {
  const until = broker.source(entity).renewSession(body.text('session-id'));
  return entry('expiration', (writer) => writer.timestamp(until));
}

function setState({ broker, entity }: OperationContext, body: Arguments): BodyWriter {
  const state = body.get('session-state') ?? null;
  if (state !== null && !Buffer.isBuffer(state)) return bad('session-state is not binary');
  // A copy: the request's bytes may lie in a larger buffer.
  broker.source(entity).setSessionState(body.text('session-id'), state === null ? null : Buffer.from(state));
  return (writer) => writer.close(writer.openMap(), 0);
}

function getState({ broker, entity }: OperationContext, body: Arguments): BodyWriter {
  const state = broker.source(entity).sessionState(body.text('session-id'));
  return entry('session-state', (writer) => (state === null ? writer.null() : writer.binary(state)));
}

function list({ broker, entity }: OperationContext, body: Arguments): BodyWriter | undefined {
  const skip = body.integer('skip', 0);
  const since = body.time('last-updated-time');
  const which = since === NET_MAX_TIME_MS ? 'active' : since;
  const ids = broker.source(entity).sessions(which, skip, body.integer('top', 1));
  if (ids.length === 0) return undefined;
  return (writer) => {
    const map = writer.openMap();
    writer.string('skip');
    writer.int(skip + ids.length);
    writer.string('sessions-ids');
    writer.array(CODE.string32, ids, (id) => {
      const bytes = Buffer.from(id);
      writer.uint32(bytes.length);
      writer.raw(bytes);
    });
    writer.close(map, 4);
  };
}
