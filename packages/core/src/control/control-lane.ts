import type { ControlSource, Session } from '../connection/session.ts';
import { PolycastError } from '../contract/error.ts';

/**
 * Replies and roll calls reach us from when it resolves: through a subscription that gets everything, or through a source
 * of their own. One that could not be opened is forgotten: the next call tries again.
 */
export async function listenForControl(session: Session): Promise<void> {
  await openControl(session, () => true);
}

/**
 * The same, for who must not wait behind events of its own: a subscription that has a source to itself, and is paused or slow, would
 * hold up everything that comes behind. Where no further source may be opened it has to do.
 */
export async function listenBeside(session: Session): Promise<void> {
  await openBest(
    session,
    (inbox) => !inbox.isOwn,
    () => true,
  );
}

/** Where no source may be opened that is good, one that is able has to do. */
async function openBest(
  session: Session,
  isGood: (inbox: ControlSource) => boolean,
  isAble: (inbox: ControlSource) => boolean,
): Promise<void> {
  try {
    await openControl(session, isGood);
  } catch (thrown) {
    const others = [...session.subscriptions].some(({ inbox }) => isAble(inbox) && inbox.hearsControl);
    if (!others) throw thrown;
    await openControl(session, isAble);
  }
}

async function openControl(session: Session, isAble: (inbox: ControlSource) => boolean): Promise<void> {
  let { control } = session;
  if (control === undefined || control.isStopped || !isAble(control)) {
    control =
      [...session.subscriptions].map(({ inbox }) => inbox).find((inbox) => isAble(inbox) && inbox.hearsControl) ??
      session.makeControl();
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
export function handOver(leaving: ControlSource, going: number): Promise<unknown> | undefined {
  const { desk, members, manifest, subscriptions } = leaving.session;
  if (
    leaving.session.control === leaving &&
    (desk.isWaiting ||
      members?.isAsking ||
      (subscriptions.size > going && manifest.capabilities.members.level === 'emulated'))
  ) {
    const stays = (inbox: ControlSource) => inbox !== leaving;
    const opening = openBest(leaving.session, (inbox) => stays(inbox) && !inbox.isPaused, stays);
    return opening.catch((thrown) => leaving.failed(PolycastError.from(thrown)));
  }
  return undefined;
}
