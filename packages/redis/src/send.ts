import type { Address, Outgoing, PolycastError } from '@polycast/core/adapter';
import { mapError } from './map-error.ts';
import { channelOf, entryKeyOf, type Parcel, parcelsOf } from './wire.ts';

/**
 * Sends a batch, a command a parcel, all of them at once. Resolves to nothing, or to the errors of single events when
 * some parcels arrived and others did not.
 */
export function sendBatch(
  batch: readonly Outgoing[],
  wire: { readonly prefix: string; readonly batch: 'on' | 'off'; readonly severalAlone: boolean },
  send: (channel: string, payload: string, key: string | undefined) => Promise<unknown>,
): Promise<undefined | readonly (PolycastError | undefined)[]> {
  const lone = batch[0] as Outgoing;
  if (batch.length === 1 && lone.to.length === 1) {
    const channel = channelOf(wire.prefix, lone.topic, lone.to[0] as Address);
    return send(channel, lone.json as string, wire.severalAlone ? entryKeyOf(lone) : undefined).then(nothing, rethrow);
  }
  const parcels = parcelsOf(wire.prefix, batch, { batched: wire.batch === 'on', severalAlone: wire.severalAlone });
  const [first] = parcels;
  if (parcels.length === 1 && first !== undefined)
    return send(first.channel, first.payload, first.key).then(nothing, rethrow);
  return sendParcels(parcels, batch.length, send);
}

async function sendParcels(
  parcels: readonly Parcel[],
  count: number,
  send: (channel: string, payload: string, key: string | undefined) => Promise<unknown>,
): Promise<undefined | readonly (PolycastError | undefined)[]> {
  const results = await Promise.allSettled(parcels.map(({ channel, payload, key }) => send(channel, payload, key)));
  const errors: (PolycastError | undefined)[] = new Array(count).fill(undefined);
  results.forEach((result, at) => {
    if (result.status === 'fulfilled') return;
    const error = mapError(result.reason);
    for (const index of parcels[at]?.indexes ?? []) errors[index] ??= error;
  });
  return errors.some((error) => error !== undefined) ? errors : undefined;
}

function nothing(): undefined {}

function rethrow(thrown: unknown): never {
  throw mapError(thrown);
}
