import type { Mutant } from '../../../scripts/mutants.ts';

const by = (test: string, file = 'control-channel') => ({ project: 'core', file: `test/${file}.test.ts`, test });

/** Faults of core that show in how it uses a transport, put back. Those that show in histories: `packages/conformance/simulation`. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'roll-calls-behind-a-pause',
    wrong: 'roll calls go on coming through a subscription that is paused, behind its events',
    caughtBy: by('who pauses hears roll calls through a source of their own from then on, once each'),
    patches: [{ module: 'core/src/deliver/subscription.ts', from: '    this.receiver.paused();\n', to: '' }],
  },
  {
    name: 'replies-behind-a-pause',
    wrong: 'replies come through a subscription of the one who asked, behind its events',
    caughtBy: by('who asks while events may hold up its subscription hears the answers beside it: request'),
    patches: [
      {
        module: 'core/src/connection/broadcaster.ts',
        from: '() => this.#listenBeside(), through)',
        to: "async () => (await import('../control/control-channel.ts')).listenForControl(context), through)",
      },
    ],
  },
  {
    name: 'heartbeats-behind-a-pause',
    wrong: 'heartbeats come through a subscription of the one who called the roll, behind its events',
    caughtBy: by('who asks while events may hold up its subscription hears the answers beside it: members'),
    patches: [
      {
        module: 'core/src/connection/broadcaster.ts',
        from: '    await this.#listenBeside();\n    return (members',
        to: "    await (await import('../control/control-channel.ts')).listenForControl(this.#context);\n    return (members",
      },
    ],
  },
  {
    name: 'control-handed-to-the-paused',
    wrong: 'when the subscription closes that hears control, a paused one takes over',
    caughtBy: by('the one that hears control closes, and the other is paused: roll calls do not wait behind it'),
    patches: [{ module: 'core/src/control/control-channel.ts', from: ' && !receiver.isPaused', to: '' }],
  },
  {
    name: 'paused-will-not-do',
    wrong: 'where no further source may be opened nobody hears control, though a paused subscription could',
    caughtBy: by('but where no further source may be opened the paused one has to do'),
    patches: [
      {
        module: 'core/src/control/control-channel.ts',
        from: '    if (!others) throw thrown;\n    await openControl(context, isAble);\n',
        to: '    void others;\n    throw thrown;\n',
      },
    ],
  },
  {
    name: 'lost-lock-is-given-up',
    wrong:
      'an event whose lock was lost while it waited counts as given up: when it comes again, not counted as a try, it is dropped as a duplicate',
    caughtBy: by(
      'what is lost while it waits, queued, is handled when it comes again, though the service counts no try',
      'lost-locks',
    ),
    patches: [
      {
        module: 'core/src/deliver/subscription.ts',
        from: '  abandon(delivery: LiveDelivery): void {\n    delivery.abandon();\n',
        to: '  abandon(delivery: LiveDelivery): void {\n    delivery.abandon();\n    this.receiver.reopen(delivery.event, this);\n',
      },
    ],
  },
  {
    name: 'copy-handled-again',
    wrong: 'what waits for its turn is handled, though another attempt of it was accepted meanwhile',
    caughtBy: by('it is accepted if that handler accepted, whatever it knows of its signal', 'fixed-locks'),
    patches: [
      {
        module: 'core/src/deliver/subscription.ts',
        from: 'else if (lease !== undefined && this.receiver.wasAccepted(event)) {',
        to: 'else if (lease === undefined && this.receiver.wasAccepted(event)) {',
      },
    ],
  },
  {
    name: 'false-return',
    wrong: 'a link is signalled the return of a connection whose loss it was not signalled',
    caughtBy: by(
      'the monitor of one link signals no return of what it did not signal the loss of',
      'connection-monitor',
    ),
    patches: [
      {
        module: 'core/src/adapter/connection-monitor.ts',
        from: "    if (this.#isSignalled) this.#signal({ kind: 'reconnected'",
        to: "    this.#signal({ kind: 'reconnected'",
      },
    ],
  },
  {
    name: 'busy-counts',
    wrong: 'a wait ends before what came while the process was busy is read',
    caughtBy: by('an answer that came while the process was busy is in time: busy from near the end', 'within'),
    patches: [{ module: 'core/src/adapter/within.ts', from: 'if (parts > 0) return', to: 'if (parts > 1) return' }],
  },
  {
    name: 'listener-left',
    wrong: 'a bounded wait leaves its listener on the abort signal',
    caughtBy: by('a bounded wait takes its listener away when the work is done', 'within'),
    patches: [{ module: 'core/src/adapter/within.ts', from: '      off?.();\n', to: '' }],
  },
  {
    name: 'secret-as-a-name',
    wrong: 'a parameter that does not look like a name, which may be part of a key, is repeated',
    caughtBy: by('parameters of a URL pa@ss=a is refused', 'options'),
    patches: [{ module: 'core/src/adapter/check-options.ts', from: '!/^\\w{1,40}$/.test(name)', to: "name === ''" }],
  },
  {
    name: 'addresses-unchecked',
    wrong: 'what a source brings for others is handled',
    caughtBy: by('an event for another role: "role:bar"', 'addresses'),
    patches: [
      {
        module: 'core/src/receive/source-receiver.ts',
        from: '    if (!isReserved && !this.#isForUs(event)) return this.#done(lease);\n',
        to: '',
      },
    ],
  },
  {
    name: 'position-lost-with-new-data',
    wrong: 'an event whose data a schema replaced has no position',
    caughtBy: by(
      'a position comes without a lease, survives a schema that makes new data, and each event has its own',
      'positions',
    ),
    patches: [{ module: 'core/src/envelope/event.ts', from: '    copy.#position = this.#position;\n', to: '' }],
  },
  {
    name: 'one-abort-for-all',
    wrong: 'one caller that waits no longer ends what others wait for',
    caughtBy: by('what is shared is opened although one who waited for it has gone', 'shared'),
    patches: [
      {
        module: 'core/src/adapter/shared.ts',
        from: 'if (this.#leave(held)) held.unwanted.abort();',
        to: 'this.#leave(held);\n      held.unwanted.abort();\n      held.users = 0;',
      },
    ],
  },
  {
    name: 'reconnects-without-a-pause',
    wrong: 'where connecting works and listening does not, connections are made one after another without a wait',
    caughtBy: by(
      'a connection that comes back waits longer and longer where connecting works and listening does not, and says why',
      'reconnecting',
    ),
    patches: [{ module: 'core/src/adapter/reconnecting.ts', from: '      this.#tries++;\n', to: '' }],
  },
];
