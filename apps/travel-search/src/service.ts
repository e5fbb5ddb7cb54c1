import { setTimeout as delay } from 'node:timers/promises';
import type { Subscription } from '@polycast/core';
import { latencyMsOf, makeOffers, type Service } from './offers.ts';
import { competing, OFFERS_ASKED, type Travel } from './travel.ts';

export interface ServiceOptions {
  /** How long it takes for a search. @default what `latencyMsOf` says */
  readonly latencyMs?: number | undefined;
  /** Called with each search it has taken, before it works on it. To show faults. */
  readonly onTaken?: (() => unknown) | undefined;
}

/** Flights, hotels, cars or deals: answers its part of each search it takes. */
export function serve(travel: Travel, service: Service, options: ServiceOptions = {}): Promise<Subscription> {
  return travel.on(
    OFFERS_ASKED,
    async ({ data: search }, delivery) => {
      await options.onTaken?.();
      // Work that takes time. Nobody waits for it once the lock is lost or we are closing: then another instance takes it.
      await delay(options.latencyMs ?? latencyMsOf(service, search), undefined, { signal: delivery.abortSignal });
      await delivery.reply(makeOffers(service, search));
    },
    competing(travel),
  );
}
