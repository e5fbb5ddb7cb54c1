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
  await openControl(session, (inbox) => inbox !== leaving);
}

/**
 * The same, for who must not wait behind events of its own: a subscription that has a source to itself, and is paused or slow, would
 * hold up everything that comes behind. Where no further source may be opened it has to do.
 */
export async function listenBeside(session: Session): Promise<void> {
  try {
    await openControl(session, (inbox) => !inbox.isOwn);
  } catch (thrown) {
    const others = [...session.subscriptions].some(({ inbox }) => inbox.hearsControl);
    if (!others) throw thrown;
    await listenForControl(session);
  }
}

async function openControl(session: Session, isAble: (inbox: Inbox) => boolean): Promise<void> {
  let { control } = session;
  if (control === undefined || control.isStopped || !isAble(control)) {
    control =
      [...session.subscriptions].map(({ inbox }) => inbox).find((inbox) => isAble(inbox) && inbox.hearsControl) ??
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
