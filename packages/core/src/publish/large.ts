import type { PublishOptions } from '../contract/contract.ts';
import { PolycastError } from '../contract/error.ts';
import type { Encoded, Outgoing as OutgoingOf } from '../contract/transport.ts';
import { type Chunk, splitEvent } from '../receive/chunking.ts';
import type { CoreAttributes, Publisher, PublisherOptions } from './publisher.ts';

type Outgoing = OutgoingOf<Encoded | undefined>;

/**
 * Sends an event that is larger than the transport takes, in pieces.
 * @param type of the pieces
 * @throws `payload-too-large` where it may not be cut
 */
export async function sendLarge(
  publisher: Publisher,
  sending: PublisherOptions,
  outgoing: Outgoing,
  type: string,
): Promise<void> {
  const chunks = split(publisher, sending, outgoing);
  const { topic, event } = outgoing;
  const { attributes } = event;
  const isOurs = topic === sending.topic;
  const options: PublishOptions = {
    to: outgoing.to,
    // It was above 0 a moment ago.
    ttlMs: Math.max(outgoing.expiresAtMs - sending.runtime.wallMs(), Number.MIN_VALUE),
    // Whoever reads dead letters may be called as we are.
    ...(attributes?.carboncopy === true || !isOurs ? { carbonCopy: true } : {}),
    ...(typeof attributes?.partitionkey === 'string' ? { partitionKey: attributes.partitionkey } : {}),
  };
  await Promise.all(
    chunks.map(({ data, ...chunk }) => {
      // The first piece takes the number of the whole, so that none is left out.
      // On another topic (of dead letters) our numbers mean nothing, and here they would be missing.
      const sequence = !isOurs ? 'none' : chunk.chunkindex === 0 ? event.sequence : undefined;
      const piece = publisher.prepare({ type, data }, options, chunk as CoreAttributes, sequence);
      return publisher.send({ ...piece, topic });
    }),
  );
}

function split(publisher: Publisher, { manifest, splits, topic }: PublisherOptions, outgoing: Outgoing): Chunk[] {
  const limit = manifest.limits.maxEventBytes;
  try {
    if (splits || outgoing.topic !== topic) return splitEvent(outgoing.event.with({}), limit);
    throw new PolycastError(
      'payload-too-large',
      `the event has ${outgoing.encoded?.size} bytes, the limit of ${manifest.transport} is ${limit}; connect with { chunking: true } to send it in chunks`,
    );
  } catch (thrown) {
    publisher.rollBack(outgoing);
    throw thrown;
  }
}
