import type { LinkContext } from '@polycast/core/adapter';
import type { Cluster, Redis } from 'ioredis';
import { mapError } from './map-error.ts';

/**
 * Tells when the connection for commands is lost and restored.
 * @param concerns false while another connection's signals say more
 * @returns a function that ends it
 */
export function signalConnection(client: Redis | Cluster, context: LinkContext, concerns: () => boolean): () => void {
  let downSince: number | undefined;
  let lastError: unknown;
  const onError = (error: unknown) => {
    lastError = error;
  };
  const onClose = () => {
    if (downSince !== undefined || !concerns()) return;
    downSince = performance.now();
    context.signal({ kind: 'disconnected', error: mapError(lastError ?? new Error('Connection is closed.')) });
  };
  const onReady = () => {
    lastError = undefined;
    if (downSince === undefined) return;
    const downMs = performance.now() - downSince;
    downSince = undefined;
    context.signal({ kind: 'reconnected', downMs, mayHaveLost: false });
  };
  client.on('error', onError).on('close', onClose).on('ready', onReady);
  return () => {
    client.off('error', onError).off('close', onClose).off('ready', onReady);
  };
}
