import type { Subscription } from '@polycast/core';
import { cheapestEur, isOffers, isService, type Offer, SERVICES, type Service } from './offers.ts';
import { competing, OFFERS_ASKED, oneOf, type Progress, TRIP_ASKED, type Travel } from './travel.ts';

/** Scatters each search it takes to the services, passes on every part as it comes, and says at the deadline what is missing. */
export function aggregate(
  travel: Travel,
  options: { readonly onTaken?: (() => unknown) | undefined } = {},
): Promise<Subscription> {
  return travel.on(
    TRIP_ASKED,
    async (asked, delivery) => {
      await options.onTaken?.();
      const report = (progress: Progress) => delivery.reply(progress);
      const to = await Promise.all(SERVICES.map((service) => oneOf(travel, service)));
      // A search lives until its deadline: what is left of that time is what the services have.
      const timeoutMs = Math.max(0, asked.expiresAtMs - Date.now());
      const parts = new Map<Service, readonly Offer[]>();
      const { abortSignal } = delivery;
      for await (const { data, from } of travel.request(
        { type: OFFERS_ASKED, data: asked.data },
        { to, timeoutMs, abortSignal },
      )) {
        // A service may answer twice: it crashed after its reply, and another instance did the work again.
        if (!isService(from.role) || parts.has(from.role) || !isOffers(data)) continue;
        parts.set(from.role, data);
        await report({ kind: 'part', service: from.role, from: from.instance, offers: data });
        if (parts.size === SERVICES.length) break;
      }
      const missing = SERVICES.filter((service) => !parts.has(service));
      await report({ kind: 'done', missing, totalEur: cheapestEur(parts.values()) });
    },
    competing(travel),
  );
}
