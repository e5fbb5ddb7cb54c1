import type { Mutant } from '../../../scripts/mutants.ts';

const LOST_LOCK =
  'what waits for its turn goes back when what was before it has lost its lock, though the connection stays';
const by = (file: string, test: string) => ({ project: 'service-bus', file: `test/${file}.test.ts`, test });

/** Faults of this adapter that were found from outside, put back. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'lost-lock-is-overtaken',
    wrong: 'what lost its lock while the link stays comes again behind what waits',
    caughtBy: by('faults/order', LOST_LOCK),
    patches: [
      {
        module: 'service-bus/src/message-lease.ts',
        from: '        if (!this.#isSettling) this.#holder.lost?.(this);\n',
        to: '',
      },
    ],
  },
  {
    name: 'calls-nothing-back',
    wrong: 'what waits behind a message that lost its lock is not called back',
    caughtBy: by('faults/order', LOST_LOCK),
    patches: [
      {
        module: 'service-bus/src/subscription-receiver.ts',
        from: '    this.#options.buffer.recall(new Set(behind));\n',
        to: '    void behind;\n',
      },
    ],
  },
  {
    name: 'rejects-in-a-timer',
    wrong:
      'where a receiver is closed while the service answers nothing, a rejection in a timer of the SDK ends the process a minute later',
    caughtBy: by(
      'given-client',
      'a given client closing a subscription while the service answers nothing leaves no rejection that nobody handles',
    ),
    patches: [
      {
        module: 'service-bus/src/sdk-internals/quiet-close.ts',
        from: '    quiet.add(link);\n',
        to: '    continue;\n',
      },
    ],
  },
];
