import { PolycastError } from './error.ts';
import { Inbox } from './inbox.ts';
import type { Session } from './session.ts';
import { subscriptionSettings } from './subscription-settings.ts';
import { settlesWithin } from './timer.ts';

/**
 * Replies and roll calls reach us from when it resolves: through a subscription that gets everything, or through a source
 * of their own. One that could not be opened is forgotten: the next call tries again.
 * @param leaving hears them now, and will stop
 */
export async function listenForControl(session: Session, leaving?: Inbox): Promise<void> {
  const { subscriptions } = session;
  let { control } = session;
  if (control === undefined || control.isStopped || control === leaving) {
    control =
      [...subscriptions].map(({ inbox }) => inbox).find((inbox) => inbox !== leaving && inbox.hearsControl) ??
      new Inbox(session, subscriptionSettings(undefined), 'control');
    session.control = control;
  }
  try {
    await control.open();
  } catch (thrown) {
    if (session.control === control) session.control = undefined;
    throw thrown;
  }
}

/**
 * Before an inbox stops that hears them: another source brings replies and roll calls, if anybody still needs them once
 * `going` more subscriptions are gone. Never rejects. @returns nothing where there is nothing to wait for
 */
export function handOver(leaving: Inbox, going: number): Promise<unknown> | undefined {
  const { desk, members, manifest, subscriptions } = leaving.session;
  if (
    leaving.session.control === leaving &&
    (desk.isWaiting ||
      members?.isAsking ||
      (subscriptions.size > going && manifest.capabilities.members.level === 'emulated'))
  ) {
    const opening = listenForControl(leaving.session, leaving);
    return settlesWithin(
      leaving.session.runtime,
      opening.catch((thrown) => leaving.failed(PolycastError.from(thrown))),
      HANDED_OVER_WITHIN_MS,
    );
  }
  return undefined;
}

/** A service that answers nothing must not keep a subscription open. */
const HANDED_OVER_WITHIN_MS = 5_000;
