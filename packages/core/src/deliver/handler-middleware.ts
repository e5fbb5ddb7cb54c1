import type { BroadcasterContext } from '../connection/broadcaster-context.ts';
import type { Delivery, Handler } from '../contract/contract.ts';
import type { DeliverContext, DeliverResult, Middleware, Outcome } from '../contract/middleware.ts';
import type { BroadcastEvent } from '../envelope/event.ts';
import { checkData } from './schema-check.ts';
import type { SubscriptionSettings } from './subscription-settings.ts';

type IsFinal = (delivery: Delivery, thrown: unknown) => boolean;

/**
 * The handler inside the check of its data and the broadcaster's middleware; the handler itself where there is neither.
 * @param isFinal is a delivery whose handler threw this not tried again?
 */
export function wrapHandler(
  inner: Handler,
  context: BroadcasterContext,
  settings: SubscriptionSettings,
  isFinal: IsFinal,
): Handler {
  const handler = context.schemas === undefined ? inner : checkData(inner, context.schemas);
  const layers = context.middleware.filter((layer) => layer.deliver !== undefined);
  if (layers.length === 0) return handler;
  const deliverContext: DeliverContext = {
    ...context.middlewareContext,
    group: settings.group,
    durable: settings.durable,
  };
  return async (event: BroadcastEvent, delivery: Delivery) => {
    let failure: { readonly thrown: unknown } | undefined;
    const run = async (): Promise<DeliverResult> => {
      try {
        await handler(event, delivery);
        return { outcome: outcomeOf(delivery, undefined, isFinal) };
      } catch (thrown) {
        failure = { thrown };
        return { outcome: outcomeOf(delivery, failure, isFinal), error: thrown };
      }
    };
    await layers.reduceRight<() => Promise<DeliverResult>>(
      (next, layer) => () => callLayer(layer, delivery, deliverContext, next),
      run,
    )();
    if (failure !== undefined) throw (failure as { readonly thrown: unknown }).thrown;
  };
}

function callLayer(
  layer: Middleware,
  delivery: Delivery,
  deliverContext: DeliverContext,
  next: () => Promise<DeliverResult>,
): Promise<DeliverResult> {
  return layer.deliver === undefined ? next() : layer.deliver(delivery, deliverContext, next);
}

/** What the subscription will do, told before it does it, so that middleware can report one attempt as a whole. */
function outcomeOf(delivery: Delivery, failure: { readonly thrown: unknown } | undefined, isFinal: IsFinal): Outcome {
  const said = (delivery as { outcome?: { kind: 'accept' | 'release' | 'reject' } }).outcome;
  if (said !== undefined) return SAID[said.kind];
  if (failure === undefined) return 'accepted';
  return isFinal(delivery, failure.thrown) ? 'dead-lettered' : 'released';
}

const SAID = { accept: 'accepted', release: 'released', reject: 'dead-lettered' } as const;
