import type { Address, Outgoing, PolycastError } from '@polycast/core/adapter';
import { mapError } from './map-error.ts';
import { channelOf, entryKeyOf, type Parcel, parcelsOf } from './wire.ts';

/** How parcels go to the server. */
export interface Sending {
  /** @param key the partition key of the only event, where the service is to know it */
  one(channel: string, payload: string, key: string | undefined): Promise<unknown>;
  /** All of them, in order, or none. Resolves to false, without a word to the server, where that is not possible. */
  several(channel: string, parcels: readonly Pick<Parcel, 'payload' | 'key'>[]): Promise<boolean>;
}

/**
 * Sends a batch, a command a parcel, all of them at once. Resolves to nothing, or to the errors of single events when
 * some parcels arrived and others did not. Those of one channel arrive together or not at all: the server may refuse one
 * and take the next, and what is sent again then would come behind it.
 */
export function sendBatch(
  batch: readonly Outgoing[],
  wire: { readonly prefix: string; readonly batch: 'on' | 'off'; readonly keyedAlone: boolean },
  sending: Sending,
): Promise<undefined | readonly (PolycastError | undefined)[]> {
  const lone = batch[0] as Outgoing;
  if (batch.length === 1 && lone.to.length === 1) {
    const channel = channelOf(wire.prefix, lone.topic, lone.to[0] as Address);
    const key = wire.keyedAlone ? entryKeyOf(lone) : undefined;
    return sending.one(channel, lone.encoded.json, key).then(nothing, rethrow);
  }
  const parcels = parcelsOf(wire.prefix, batch, { batched: wire.batch === 'on', keyedAlone: wire.keyedAlone });
  const [first] = parcels;
  if (parcels.length === 1 && first !== undefined) {
    return sending.one(first.channel, first.payload, first.key).then(nothing, rethrow);
  }
  return sendParcels(parcels, batch.length, sending);
}

async function sendParcels(
  parcels: readonly Parcel[],
  count: number,
  sending: Sending,
): Promise<undefined | readonly (PolycastError | undefined)[]> {
  const byChannel = new Map<string, Parcel[]>();
  for (const parcel of parcels) {
    const same = byChannel.get(parcel.channel);
    if (same === undefined) byChannel.set(parcel.channel, [parcel]);
    else same.push(parcel);
  }
  let errors: (PolycastError | undefined)[] | undefined;
  const sends = [...byChannel].map(async ([channel, all]) => {
    try {
      await sendInOrder(channel, all, sending);
    } catch (thrown) {
      const error = mapError(thrown);
      errors ??= new Array(count).fill(undefined);
      for (const { indexes } of all) for (const index of indexes) errors[index] ??= error;
    }
  });
  await Promise.all(sends);
  return errors;
}

async function sendInOrder(channel: string, parcels: readonly Parcel[], sending: Sending): Promise<void> {
  if (parcels.length > 1 && (await sending.several(channel, parcels))) return;
  for (const { payload, key } of parcels) await sending.one(channel, payload, key);
}

/** The driver's transaction, as far as it is used here. */
interface Transaction {
  exec(): Promise<[Error | null, unknown][] | null>;
}

/** Executes what was queued, all or nothing. @throws the first error of a command, or why nothing was done */
export async function execute(transaction: Transaction): Promise<unknown[]> {
  let results: Awaited<ReturnType<Transaction['exec']>>;
  try {
    results = await transaction.exec();
  } catch (thrown) {
    // EXECABORT: one of them was refused, and with it all. Its reason says more.
    throw (thrown as { previousErrors?: readonly unknown[] } | undefined)?.previousErrors?.[0] ?? thrown;
  }
  return (results ?? []).map(([error, result]) => {
    if (error !== null) throw error;
    return result;
  });
}

function nothing(): undefined {}

function rethrow(thrown: unknown): never {
  throw mapError(thrown);
}
