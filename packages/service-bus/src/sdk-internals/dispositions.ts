interface Delivery {
  readonly link: { readonly session: unknown };
  readonly state?: { readonly descriptor?: { readonly value?: unknown } };
}

/** What rhea 3 keeps of the deliveries of a session: those that it has yet to say something of. */
interface Incoming {
  readonly updated: readonly Delivery[];
  update(delivery: Delivery | undefined, settled: boolean, state: Delivery['state']): void;
  process(session: unknown): void;
}

/** The outcome that says nothing but itself: neighbours may share it (AMQP 1.0, 3.4.2). */
const ACCEPTED = 0x24;

/**
 * A message that came over a link that is gone must not be settled over that link, which would wait in vain: without its link the SDK goes by
 * the lock token.
 */
export function forgetLink(message: object): void {
  const received = message as { delivery?: { link?: unknown; remote_settled?: boolean } };
  if (received.delivery?.link !== undefined) received.delivery = { remote_settled: false };
}

/** {@link separateNeighbours} of the delivery that a message came with. */
export function separateOutcomes(message: object): void {
  separateNeighbours((message as { delivery?: unknown }).delivery);
}

const mended = new WeakSet<object>();

/**
 * Of two neighbouring deliveries rhea 3 says in one breath what it was told of the first, though it was told something else of the
 * second: what was to come again is accepted, and lost, or has the other's tries or reason. So what was said before goes out first.
 *
 * @param delivery the first that came over a session, of rhea
 */
export function separateNeighbours(delivery: unknown): void {
  const incoming = (delivery as { link?: { session?: { incoming?: Incoming } } } | undefined)?.link?.session?.incoming;
  if (typeof incoming?.update !== 'function' || mended.has(incoming)) return;
  mended.add(incoming);
  const update = incoming.update;
  incoming.update = (one, settled, state) => {
    const last = incoming.updated.at(-1)?.state?.descriptor?.value;
    const isShared = last === ACCEPTED && state?.descriptor?.value === ACCEPTED;
    if (one !== undefined && incoming.updated.length > 0 && !isShared) incoming.process(one.link.session);
    update.call(incoming, one, settled, state);
  };
}
