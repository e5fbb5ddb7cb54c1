import { readFile, stat } from 'node:fs/promises';
import { ConfigFileError } from '../../config-file/error.ts';
import { JsonNode } from '../../config-file/json-node.ts';
import { parseJsonWithComments } from '../../config-file/json-with-comments.ts';
import { LIMITS } from '../broker/limits.ts';
import type { EntityDeclaration, ServiceBusConfig } from './declaration.ts';
import { QUEUE_PROPERTIES, readProperties, SUBSCRIPTION_PROPERTIES, TOPIC_PROPERTIES } from './properties.ts';
import { readRule } from './read-rule.ts';

/** Largest file that is read, in bytes. */
export const MAX_CONFIG_FILE_BYTES = 16 * 1_024 * 1_024;

const LOGGING = ['File', 'Console', 'File,Console', 'Console,File'] as const;
/** The namespace's name where the file gives none. */
const DEFAULT_NAME = 'sbemulatorns';
const ENTITY_PATH = /^[A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?$/;
const ENTITY_NAME = /^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?$|^\$Default$/;

/**
 * Reads a start file in the format of the vendor's emulator, which may have comments, or its content. Every property of a
 * description in the administration API may be used, not only those the emulator knows; its smaller limits do not hold.
 * `Logging` is checked and says nothing to us: this service writes no log.
 * @see https://github.com/Azure/azure-service-bus-emulator-installer (ServiceBus-Emulator/Schema/Config-schema.json)
 * @throws ConfigFileError with file and place
 */
export async function readConfig(source: string | object): Promise<ServiceBusConfig> {
  if (typeof source !== 'string') return checkConfig(source);
  try {
    return checkConfig(parseJsonWithComments(await textOf(source)));
  } catch (error) {
    throw new ConfigFileError(`${source}: ${(error as Error).message}`, { cause: error });
  }
}

async function textOf(path: string): Promise<string> {
  const found = await stat(path).catch(unreadable);
  const { size } = found;
  // Reading a pipe or a device would wait for ever.
  if (!found.isFile()) throw new Error('it is not a regular file');
  if (size > MAX_CONFIG_FILE_BYTES)
    throw new Error(`it is too large (${size} bytes, maximum ${MAX_CONFIG_FILE_BYTES})`);
  return readFile(path, 'utf8').catch(unreadable);
}

/** Node's own message repeats the path, which stands before ours already. */
function unreadable(cause: NodeJS.ErrnoException): never {
  const reason = cause.code === 'ENOENT' ? 'no such file' : cause.code === 'EACCES' ? 'permission denied' : cause.code;
  throw new Error(`cannot be read: ${reason ?? 'unknown error'}`, { cause });
}

function checkConfig(content: unknown): ServiceBusConfig {
  const root = new JsonNode(content, '');
  const userConfig = required(root, root.members(['$schema', 'UserConfig']), 'UserConfig');
  const members = userConfig.members(['Namespaces', 'Logging']);
  const logging = members.get('Logging');
  logging?.members(['Type']).get('Type')?.oneOf(LOGGING);
  const namespaces = required(userConfig, members, 'Namespaces');
  const [namespace, ...more] = namespaces.items();
  if (namespace === undefined || more.length > 0) throw namespaces.fault('must hold exactly one namespace');
  return readNamespace(namespace);
}

function readNamespace(node: JsonNode): ServiceBusConfig {
  const members = node.members(['Name', 'Queues', 'Topics']);
  const entities: EntityDeclaration[] = [];
  const paths = new Names('queue or topic', ENTITY_PATH, LIMITS.entityPathCharacters);
  for (const queue of members.get('Queues')?.items() ?? []) {
    const parts = queue.members(['Name', 'Properties']);
    const path = paths.take(queue, parts);
    const properties = readProperties(parts.get('Properties'), QUEUE_PROPERTIES);
    entities.push({ kind: 'queue', at: queue.path, path, properties });
  }
  for (const topic of members.get('Topics')?.items() ?? []) {
    const parts = topic.members(['Name', 'Properties', 'Subscriptions']);
    const path = paths.take(topic, parts);
    const properties = readProperties(parts.get('Properties'), TOPIC_PROPERTIES);
    entities.push({ kind: 'topic', at: topic.path, path, properties });
    entities.push(...readSubscriptions(path, parts.get('Subscriptions')));
  }
  return { name: members.get('Name')?.text() ?? DEFAULT_NAME, entities };
}

function readSubscriptions(topic: string, list: JsonNode | undefined): readonly EntityDeclaration[] {
  const names = new Names('subscription', ENTITY_NAME, LIMITS.nameCharacters);
  return (list?.items() ?? []).flatMap((node) => {
    const parts = node.members(['Name', 'Properties', 'Rules']);
    const name = names.take(node, parts);
    const properties = readProperties(parts.get('Properties'), SUBSCRIPTION_PROPERTIES);
    const rules = readRules(topic, name, parts.get('Rules'));
    return [{ kind: 'subscription', at: node.path, topic, name, properties }, ...rules];
  });
}

function readRules(topic: string, subscription: string, list: JsonNode | undefined): readonly EntityDeclaration[] {
  const names = new Names('rule', ENTITY_NAME, LIMITS.nameCharacters);
  return (list?.items() ?? []).map((node) => {
    const parts = node.members(['Name', 'Properties']);
    const name = names.take(node, parts);
    const properties = readRule(required(node, parts, 'Properties'));
    return { kind: 'rule', at: node.path, topic, subscription, name, properties };
  });
}

function required(node: JsonNode, members: ReadonlyMap<string, JsonNode>, name: string): JsonNode {
  const member = members.get(name);
  if (member === undefined) throw node.fault(`${name} is missing`);
  return member;
}

/** Names of one kind: each well-formed and given once, whatever its letter case. */
class Names {
  readonly #kind: string;
  readonly #form: RegExp;
  readonly #maxCharacters: number;
  readonly #taken = new Map<string, string>();

  constructor(kind: string, form: RegExp, maxCharacters: number) {
    this.#kind = kind;
    this.#form = form;
    this.#maxCharacters = maxCharacters;
  }

  take(node: JsonNode, members: ReadonlyMap<string, JsonNode>): string {
    const member = required(node, members, 'Name');
    const name = member.text();
    if (name.length > this.#maxCharacters) throw member.fault(`longer than ${this.#maxCharacters} characters`);
    if (!this.#form.test(name)) throw member.fault(`${JSON.stringify(name)} is not a valid ${this.#kind} name`);
    const before = this.#taken.get(name.toLowerCase());
    if (before !== undefined) throw member.fault(`${before} is called "${name}" already`);
    this.#taken.set(name.toLowerCase(), node.path);
    return name;
  }
}
