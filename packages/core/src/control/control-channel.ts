import type { BroadcasterContext, ControlSource } from '../connection/broadcaster-context.ts';
import { PolycastError } from '../contract/error.ts';

/**
 * Replies and roll calls reach us from when it resolves: through a subscription that gets everything, or through a source
 * of their own. One that could not be opened is forgotten: the next call tries again.
 */
export async function listenForControl(context: BroadcasterContext): Promise<void> {
  await openControl(context, () => true);
}

/**
 * The same, for who must not wait behind events of its own: a subscription that has a source to itself, and is paused or slow, would
 * hold up everything that comes behind. Where no further source may be opened it has to do.
 */
export async function listenBeside(context: BroadcasterContext): Promise<void> {
  await openBest(
    context,
    (receiver) => !receiver.isOwn,
    () => true,
  );
}

/** Where no source may be opened that is good, one that is able has to do. */
async function openBest(
  context: BroadcasterContext,
  isGood: (receiver: ControlSource) => boolean,
  isAble: (receiver: ControlSource) => boolean,
): Promise<void> {
  try {
    await openControl(context, isGood);
  } catch (thrown) {
    const others = [...context.subscriptions].some(({ receiver }) => isAble(receiver) && receiver.hearsControl);
    if (!others) throw thrown;
    await openControl(context, isAble);
  }
}

async function openControl(context: BroadcasterContext, isAble: (receiver: ControlSource) => boolean): Promise<void> {
  let { control } = context;
  if (control === undefined || control.isStopped || !isAble(control)) {
    control =
      [...context.subscriptions]
        .map(({ receiver }) => receiver)
        .find((receiver) => isAble(receiver) && receiver.hearsControl) ?? context.makeControl();
    context.control = control;
  }
  try {
    await control.open();
  } catch (thrown) {
    if (context.control === control) context.control = undefined;
    throw thrown;
  }
}

/**
 * Before a receiver stops that hears them: another source brings replies and roll calls, if anybody still needs them once
 * `going` more subscriptions are gone. Never rejects. @returns nothing where there is nothing to wait for
 */
export function handOver(leaving: ControlSource, going: number): Promise<unknown> | undefined {
  const { requests, members, manifest, subscriptions } = leaving.context;
  if (
    leaving.context.control === leaving &&
    (requests.isWaiting ||
      members?.isAsking ||
      (subscriptions.size > going && manifest.capabilities.members.level === 'emulated'))
  ) {
    const stays = (receiver: ControlSource) => receiver !== leaving;
    const opening = openBest(leaving.context, (receiver) => stays(receiver) && !receiver.isPaused, stays);
    return opening.catch((thrown) => leaving.failed(PolycastError.from(thrown)));
  }
  return undefined;
}
