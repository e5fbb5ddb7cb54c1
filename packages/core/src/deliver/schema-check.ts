import type { Handler } from '../contract/contract.ts';
import { type SchemaMap, validate } from '../contract/schema.ts';
import type { BroadcastEvent } from '../envelope/event.ts';
import type { LiveDelivery } from './delivery.ts';

/**
 * A handler that sees only data its event's schema accepts, as the schema makes it. Anything else is no use trying again:
 * the mismatch is not retryable, so the delivery is set aside with it as the reason.
 */
export function checkData(handler: Handler, schemas: SchemaMap): Handler {
  /** A retried delivery's data is checked, and perhaps changed, already. */
  const checked = new WeakSet<LiveDelivery>();
  return (event, delivery) => {
    const live = delivery as LiveDelivery;
    if (checked.has(live) || !Object.hasOwn(schemas, event.type)) return handler(event, delivery);
    const pass = (data: unknown): unknown => {
      checked.add(live);
      if (data !== event.data) live.event = (event as BroadcastEvent).with({ data });
      return handler(live.event, delivery);
    };
    const result = validate(schemas, event.type, event.data);
    return result instanceof Promise ? result.then(pass) : pass(result);
  };
}
