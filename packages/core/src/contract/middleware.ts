import type { EventInput } from '../envelope/event.ts';
import type { Address } from './address.ts';
import type { Delivery } from './contract.ts';
import type { Participant } from './participant.ts';

/** The context of a middleware call. One object for the life of a broadcaster or subscription. */
export interface MiddlewareContext {
  readonly topic: string;
  readonly self: Participant;
  /** The manifest's `transport`: `name`, `name+variant`. */
  readonly transport: string;
  /** The transport's `location`, without secrets. */
  readonly location: string;
}

/** One call of `publish` on its way through middleware. */
export interface PublishContext extends MiddlewareContext {
  /** No duplicates; just `['*']` when everyone is addressed. */
  readonly to: readonly Address[];
}

/** The subscription of a delivery. */
export interface DeliverContext extends MiddlewareContext {
  readonly group: string | undefined;
  /** Name of a durable subscription. */
  readonly durable: string | undefined;
}

/** How a delivery was settled. Part of the result of `next` in {@link Middleware.deliver}. */
export type Outcome = 'accepted' | 'released' | 'dead-lettered';

/**
 * Wraps every publish and every handler call. Passed to `connect({ middleware: [outermost, …, innermost] })`.
 *
 * Each function must call `next` at most once, and return (or await) what it returned. Errors pass through.
 */
export interface Middleware {
  /**
   * Around `publish`, before the event is checked, numbered and encoded: `next` may be given another event, for
   * instance with an additional attribute. Throwing rejects the publish. It resolves when `publish` does.
   */
  publish?(event: EventInput, context: PublishContext, next: (event: EventInput) => Promise<void>): Promise<void>;
  /**
   * Around one attempt of one handler. `next` runs the handler, settles the delivery and resolves with the outcome;
   * it rejects only if middleware further in throws, which counts as if the handler had thrown.
   */
  deliver?(delivery: Delivery, context: DeliverContext, next: () => Promise<DeliverResult>): Promise<DeliverResult>;
}

/** The result of one attempt. */
export interface DeliverResult {
  readonly outcome: Outcome;
  /** What the handler threw, if it did. */
  readonly error?: unknown;
}

/** @throws TypeError */
export function checkMiddleware(given: readonly Middleware[] | undefined): readonly Middleware[] {
  const layers: unknown = given ?? [];
  if (Array.isArray(layers) && layers.every(isLayer)) return layers;
  throw new TypeError('middleware must be an array of objects with the functions publish, deliver or both');
}

function isLayer(layer: unknown): boolean {
  if (typeof layer !== 'object' || layer === null) return false;
  const { publish, deliver } = layer as Middleware;
  const parts = [publish, deliver].filter((part) => part !== undefined);
  return parts.length > 0 && parts.every((part) => typeof part === 'function');
}
