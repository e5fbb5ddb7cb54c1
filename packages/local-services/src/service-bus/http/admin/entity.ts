import type { Reply } from '../../../http/index.ts';
import type { AuthorizationRule } from '../../broker/descriptions.ts';
import { withTimes } from '../atom/authorization-rules.ts';
import type { Entry } from '../atom/document.ts';
import { readParts } from '../atom/part.ts';
import { QUEUE_PARTS } from '../atom/queue.ts';
import { TOPIC_PARTS } from '../atom/topic.ts';
import type { Call } from '../call.ts';
import { entryReply, queueEntry, topicEntry } from './entries.ts';
import { listReply, nothingReply } from './list.ts';
import { authorizeForwarding, CLEARED_BY_OMISSION, isUpdate, putDescription } from './put.ts';

export const READ_REFUSAL = 'Manage,EntityRead claims required for this operation.';
const WRITE_REFUSAL = 'Authorization failed for specified action: Manage,EntityWrite.';
const DELETE_REFUSAL = 'Authorization failed for specified action: Manage,EntityDelete.';

/** Queues and topics share one space of names, so a GET finds either. */
export async function getEntity(call: Call, path: string): Promise<Reply> {
  const entry = find(call, path);
  if (entry === undefined) {
    // The service answers anybody who asks for what is not there with an empty list; clients make "not found" of it.
    if (call.authenticates) await call.recognize();
    return nothingReply(call);
  }
  await call.authorize('manage', READ_REFUSAL);
  return entryReply(200, entry, call.context);
}

function find(call: Call, path: string): Entry | undefined {
  const queue = call.broker.entities.queue(path);
  if (queue !== undefined) return queueEntry(queue);
  const topic = call.broker.entities.topic(path);
  return topic === undefined ? undefined : topicEntry(topic);
}

export async function putEntity(call: Call, path: string): Promise<Reply> {
  await call.authorize('manage', WRITE_REFUSAL);
  const { entities } = call.broker;
  const update = isUpdate(call);
  const description = await putDescription(call, 'QueueDescription', 'TopicDescription');
  if (description.localName === 'TopicDescription') {
    const read = timed(readParts(description, TOPIC_PARTS, call.context), entities.topic(path), call.broker.now());
    const info = update ? entities.updateTopic(path, { userMetadata: '', ...read }) : entities.createTopic(path, read);
    return entryReply(update ? 200 : 201, topicEntry(info), call.context);
  }
  const read = timed(readParts(description, QUEUE_PARTS, call.context), entities.queue(path), call.broker.now());
  await authorizeForwarding(call, read);
  const info = update
    ? entities.updateQueue(path, { ...CLEARED_BY_OMISSION, ...read })
    : entities.createQueue(path, read);
  return entryReply(update ? 200 : 201, queueEntry(info), call.context);
}

interface Ruled {
  readonly authorizationRules: readonly AuthorizationRule[];
}

/** Authorization rules say since when they are there. */
function timed<Description extends Partial<Ruled>>(
  read: Description,
  before: { readonly description: Ruled } | undefined,
  nowMs: number,
): Description {
  const { authorizationRules } = read;
  if (authorizationRules === undefined) return read;
  return {
    ...read,
    authorizationRules: withTimes(authorizationRules, before?.description.authorizationRules ?? [], nowMs),
  };
}

export async function deleteEntity(call: Call, path: string): Promise<Reply> {
  await call.authorize('manage', DELETE_REFUSAL);
  const { entities } = call.broker;
  if (entities.topic(path) === undefined) entities.deleteQueue(path);
  else entities.deleteTopic(path);
  return { status: 200 };
}

export async function listEntities(call: Call, of: 'queues' | 'topics'): Promise<Reply> {
  await call.authorize('manage', READ_REFUSAL);
  const { entities } = call.broker;
  return of === 'queues'
    ? listReply(call, { path: '$Resources/Queues', title: 'Queues', items: entities.queues() }, queueEntry)
    : listReply(call, { path: '$Resources/Topics', title: 'Topics', items: entities.topics() }, topicEntry);
}
