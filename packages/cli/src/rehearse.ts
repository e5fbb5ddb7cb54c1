import { randomUUID } from 'node:crypto';
import { type Broadcaster, connect, type ParticipantInput, PolycastError } from '@polycast/core';
import { memory } from '@polycast/memory';
import { EXIT, exitCodeOf, UsageError } from './exit-code.ts';

/**
 * Does in this process what is to be done on a server, so that names, attributes and options that make no sense are refused
 * before anything connects. What only the transport can judge is left to it.
 * @throws PolycastError as the real thing would. @throws UsageError for a TypeError
 */
export async function rehearse(
  topic: string,
  self: ParticipantInput,
  deed: (broadcaster: Broadcaster) => Promise<unknown>,
): Promise<void> {
  try {
    await using broadcaster = await connect({ transport: memory({ hub: randomUUID() }), topic, self });
    await deed(broadcaster);
    await broadcaster.close({ drainMs: 0 });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error });
    if (error instanceof PolycastError && exitCodeOf(error) === EXIT.usage) throw error;
  }
}
