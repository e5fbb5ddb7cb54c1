import type { BroadcasterContext } from '../connection/broadcaster-context.ts';
import { type Address, EVERYONE } from '../contract/address.ts';
import type { PublishOptions } from '../contract/contract.ts';
import type { PublishContext } from '../contract/middleware.ts';
import { validateInput } from '../contract/schema.ts';
import type { EventInput } from '../envelope/event.ts';

type Send = (event: EventInput, options: PublishOptions | undefined) => Promise<void>;

/** Publishes through the broadcaster's middleware, outermost layer first, and past the event's schema. */
export function publishThrough(
  context: BroadcasterContext,
  event: EventInput,
  options: PublishOptions | undefined,
  send: Send,
): Promise<void> {
  const publishContext: PublishContext = { ...context.middlewareContext, to: addressList(options?.to) };
  const chain = context.middleware.reduceRight<(input: EventInput) => Promise<void>>(
    (next, layer) => async (input) =>
      layer.publish === undefined ? next(input) : layer.publish(input, publishContext, next),
    async (input) => {
      // Checked, and sent as given: the receiver's schema makes of it what it makes.
      if (context.schemas !== undefined) await validateInput(context.schemas, input.type, input.data);
      return send(input, options);
    },
  );
  return chain(event);
}

function addressList(to: PublishOptions['to']): readonly Address[] {
  const all: readonly Address[] = to === undefined ? [EVERYONE] : typeof to === 'string' ? [to] : [...new Set(to)];
  return all.includes(EVERYONE) ? [EVERYONE] : all;
}
