import { ServiceBusClient } from '@azure/service-bus';
import { settlesWithin } from '@polycast/core/adapter';
import { Administration } from '../administration.ts';
import { topicName } from '../names.ts';
import type { Settings } from '../settings.ts';

const CLOSE_WITHIN_MS = 1_000;

/** Looks at a namespace, and writes to it as a stranger would. */
export class Admin {
  readonly #settings: Settings;
  readonly #administration: Administration;
  #client: ServiceBusClient | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#administration = new Administration(settings, () => {});
  }

  /** Subscriptions of a topic. @throws what the service says */
  async residue(topic: string): Promise<readonly string[]> {
    const held: string[] = [];
    try {
      for await (const { subscriptionName } of this.#administration.client.listSubscriptions(this.#nameOf(topic))) {
        held.push(subscriptionName);
      }
    } catch (thrown) {
      if ((thrown as { statusCode?: unknown }).statusCode !== 404) throw thrown;
    }
    return held;
  }

  /** Bytes for everyone on a topic, said to be a CloudEvent in JSON. */
  async inject(topic: string, bytes: Uint8Array): Promise<void> {
    const sender = this.#open().createSender(this.#nameOf(topic));
    try {
      await sender.sendMessages({
        body: Buffer.from(bytes),
        contentType: 'application/cloudevents+json; charset=utf-8',
      });
    } finally {
      await sender.close();
    }
  }

  /** Removes topics and their dead letters, with all that is on them. */
  async remove(topics: Iterable<string>): Promise<void> {
    for (const topic of topics) {
      for (const name of [topic, `${topic}.dead-letter`]) await this.#administration.removeTopic(this.#nameOf(name));
    }
  }

  /** Lets go of the connection, so that a service that ends does not break it. The next deed makes another. */
  async rest(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await settlesWithin(CLOSE_WITHIN_MS, client.close());
  }

  #nameOf(topic: string): string {
    return topicName(this.#settings.prefix, topic);
  }

  #open(): ServiceBusClient {
    const { access } = this.#settings;
    if ('client' in access) throw new TypeError('a client of its own is needed');
    this.#client ??=
      'connectionString' in access
        ? new ServiceBusClient(access.connectionString)
        : new ServiceBusClient(access.fullyQualifiedNamespace, access.credential);
    return this.#client;
  }
}
