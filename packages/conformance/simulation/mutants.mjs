/** Faults of core, put back by changing its text. Each is caught by one of the rules that it names. */
export const MUTANTS = [
  {
    name: 'drops-by-number',
    wrong: 'an event whose number is not above the last one is dropped',
    caughtBy: ['lost'],
    seed: 69,
    patches: [
      {
        module: 'receive/sequence-tracker.ts',
        from: '  readonly #ids: IdMemory;\n',
        to: '  readonly #ids: IdMemory;\n  readonly #last = new Map<string, number>();\n',
      },
      {
        module: 'receive/sequence-tracker.ts',
        from: '    const isNew = this.#ids.add(event);\n',
        to: `    const isNew = this.#ids.add(event);
    const { sequence } = event;
    if (sequence !== undefined) {
      const lane = \`\${sequence.slice(0, sequence.lastIndexOf('.'))} \${event.to}\`;
      const number = Number(sequence.slice(sequence.lastIndexOf('.') + 2));
      if (number <= (this.#last.get(lane) ?? 0)) return false;
      this.#last.set(lane, number);
    }
`,
      },
    ],
  },
  {
    name: 'forged-number-silences',
    wrong: 'an absurd number from anyone makes what its publisher sends afterwards look old',
    caughtBy: ['lost'],
    seed: 457,
    patches: [
      {
        module: 'receive/sequence-tracker.ts',
        from: '  readonly #ids: IdMemory;\n',
        to: '  readonly #ids: IdMemory;\n  readonly #last = new Map<string, number>();\n',
      },
      {
        module: 'receive/sequence-tracker.ts',
        from: '    const isNew = this.#ids.add(event);\n',
        to: `    const isNew = this.#ids.add(event);
    const { sequence } = event;
    if (sequence !== undefined) {
      const lane = \`\${sequence.slice(0, sequence.lastIndexOf('.'))} \${event.to}\`;
      const number = Number(sequence.slice(sequence.lastIndexOf('.') + 2));
      const last = this.#last.get(lane) ?? 0;
      if (number < last - 1_000) return false;
      this.#last.set(lane, Math.max(number, last));
    }
`,
      },
    ],
  },
  {
    name: 'duplicates-on-arrival',
    wrong: 'an event that was set aside and is published again is dropped as a duplicate',
    caughtBy: ['lost'],
    seed: 288,
    patches: [
      {
        module: 'receive/source-receiver.ts',
        from: "    this.#sequences.reopen(event, this.#kind === 'own' ? undefined : subscription);\n",
        to: '    void event;\n    void subscription;\n',
      },
    ],
  },
  {
    name: 'retried-batch-overtaken',
    wrong: 'while a refused batch waits for its next try, later ones are sent',
    caughtBy: ['order', 'key-order'],
    seed: 1_124,
    patches: [{ module: 'publish/batch-queue.ts', from: '    this.#held = true;\n', to: '' }],
  },
  {
    name: 'refused-resolves',
    wrong: 'publish resolves though the service refused the event',
    caughtBy: ['not-taken'],
    seed: 39,
    patches: [
      {
        module: 'publish/batch-queue.ts',
        from: 'else this.#reject(entry, error);',
        to: 'else entry.resolve();',
      },
    ],
  },
  {
    name: 'uncertain-number-given-away',
    wrong: 'numbers of what may have been taken, since a try had no answer, go to others',
    caughtBy: ['number-reused'],
    seed: 3_081,
    patches: [
      {
        module: 'publish/batch-queue.ts',
        from: '      if (error !== undefined && UNCERTAIN.has(error.code)) entry.mayBeOut = true;\n',
        to: '',
      },
    ],
  },
  {
    name: 'overtaken-number-given-away',
    wrong: 'numbers of what was refused go to others though a later one of the same batch was taken',
    caughtBy: ['number-reused'],
    seed: 1_930,
    patches: [
      {
        module: 'receive/holes.ts',
        from: 'while (here.has(next - 1)) next--;',
        to: 'next = Math.min(...here);',
      },
    ],
  },
  {
    name: 'second-handler',
    wrong: 'an event whose lock was lost comes again, and is given to a second handler while the first is at it',
    caughtBy: ['overlap'],
    seed: 80,
    patches: [{ module: 'deliver/subscription.ts', from: '|| this.#isLingering(delivery);', to: ';' }],
  },
  {
    name: 'fixed-lock-unwatched',
    wrong: 'a handler goes on under a lock that cannot be renewed and has ended, and its outcome is settled',
    caughtBy: ['late-settlement'],
    seed: 176,
    patches: [{ module: 'deliver/subscription.ts', from: 'locks.lockTaken(delivery.lockEndsMs);', to: '' }],
  },
  {
    name: 'epoch-shared',
    wrong: "two that start in the same millisecond take each other's events for their own",
    caughtBy: ['lost'],
    seed: 1,
    patches: [
      {
        module: 'publish/sequence-generator.ts',
        from: "runtime.randomBits().toString(36).padStart(7, '0').slice(-6)",
        to: "'000000'",
      },
    ],
  },
  {
    name: 'gap-untold',
    wrong: 'missing numbers are not signalled',
    caughtBy: ['missed-gap', 'unannounced'],
    seed: 3_675,
    patches: [
      {
        module: 'receive/gap-detector.ts',
        from: '    this.#onGap({ source, epoch, count: number - first, joins: lane.joins });\n',
        to: '    void [source, epoch];\n',
      },
    ],
  },
  {
    name: 'gap-for-redelivered',
    wrong: 'an event that comes again is taken for a jump of the numbers',
    caughtBy: ['false-gap'],
    seed: 107,
    patches: [
      {
        module: 'receive/sequence-tracker.ts',
        from: '    if (isOwed) this.#watch(event, true, false);\n',
        to: '    if (isOwed) this.#watch(event, false);\n',
      },
    ],
  },
  {
    name: 'expiry-by-wall-clock',
    wrong: 'a wall clock that is set back delivers what has expired',
    caughtBy: ['expired-handled'],
    seed: 723,
    patches: [
      {
        module: 'envelope/event.ts',
        from: '      return (event.#deadlineMs as number) <= runtime.nowMs();\n',
        to: '      return event.#expiresAtMs <= runtime.wallMs();\n',
      },
    ],
  },
  {
    name: 'expired-uncounted',
    wrong: 'events that come too late are neither counted nor signalled',
    caughtBy: ['uncounted'],
    seed: 13,
    patches: [{ module: 'connection/connect.ts', from: '      dropped.expired++;\n', to: '      return;\n' }],
  },
  {
    name: 'unseen-deliveries-are-tries',
    wrong: 'a delivery that no handler saw counts as a try',
    caughtBy: ['false-dead-letter'],
    seed: 176,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: 'attempt <= maxDeliveries(this.settings.retry)',
        to: 'attempt <= 1',
      },
    ],
  },
  {
    name: 'tried-for-ever',
    wrong: 'a handler that keeps failing is called without end',
    caughtBy: ['tries', 'busy'],
    seed: 21,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: 'delivery.attempt >= retry.maxAttempts',
        to: 'delivery.attempt >= 1_000',
      },
    ],
  },
  {
    name: 'own-tries-untold',
    wrong: 'what was tried here before it goes back to the service counts as one try',
    caughtBy: ['attempts', 'tries'],
    seed: 1_843,
    patches: [
      { module: 'deliver/subscription.ts', from: '{ ...settlement, attempts: delivery.attempts }', to: 'settlement' },
    ],
  },
  {
    name: 'attempts-uncounted',
    wrong: 'each attempt is the first',
    caughtBy: ['attempts', 'tries', 'busy'],
    seed: 24,
    patches: [{ module: 'deliver/delivery.ts', from: '    this.attempt++;\n', to: '' }],
  },
  {
    name: 'buffer-unbounded',
    wrong: 'a full buffer takes more',
    caughtBy: ['buffer'],
    seed: 12,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: 'delivery.lease === undefined && (this.room <= 0 || this.#waitsForRoom)',
        to: 'delivery.lease === undefined && this.#waitsForRoom',
      },
    ],
  },
  {
    name: 'released-unbounded',
    wrong: 'what handlers release waits beside the buffer, however much it is',
    caughtBy: ['buffer'],
    seed: 36,
    patches: [{ module: 'deliver/subscription.ts', from: ' - (this.#resting?.size ?? 0);', to: ';' }],
  },
  {
    name: 'thrown-value-escapes',
    wrong: 'what is thrown is taken for an Error with a message',
    caughtBy: ['unhandled', 'thrown'],
    seed: 17,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: 'return this.#deadLetter(delivery, describeError(thrown));',
        to: 'return this.#deadLetter(delivery, thrown instanceof Error ? thrown.message : String(thrown));',
      },
    ],
  },
  {
    name: 'close-waits-for-itself',
    wrong: 'a handler that closes its own subscription waits for its own end',
    caughtBy: ['self-wait'],
    seed: 24,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: 'return this.#calling > 0 || (this.#running > 0 && this.#mark?.isInside === true);',
        to: 'return false;',
      },
    ],
  },
  {
    name: 'listener-left',
    wrong: "a listener stays on the user's AbortSignal",
    caughtBy: ['residue-listeners'],
    seed: 1,
    patches: [
      {
        module: 'connection/broadcaster.ts',
        from: 'subscription.onClosed(off);',
        to: '',
      },
    ],
  },
  {
    name: 'dead-letter-hot-loop',
    wrong: 'what cannot be set aside is tried again at once',
    caughtBy: ['hot', 'busy', 'endless'],
    seed: 2_364,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: 'const delayMs = Math.max(MIN_SET_ASIDE_DELAY_MS, backOffMs(this.runtime, this.settings.retry, failures));',
        to: 'const delayMs = 0 * MIN_SET_ASIDE_DELAY_MS;',
      },
    ],
  },
  {
    name: 'key-overtaken-on-retry',
    wrong: 'while an event waits for its next try, the next one of its key is handled',
    caughtBy: ['retry-order'],
    seed: 604,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: 'this.#goesBack(delivery) && delivery.event.partitionkey === undefined',
        to: 'this.#goesBack(delivery)',
      },
    ],
  },
  {
    name: 'key-shared',
    wrong: 'two events of one key are handled at once',
    caughtBy: ['key-overlap'],
    seed: 150,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: '(key !== undefined && this.#busyKeys?.has(key) === true)',
        to: '(key !== undefined && false)',
      },
    ],
  },
  {
    name: 'delivery-after-close',
    wrong: 'what was not drained in time is handled after close',
    caughtBy: ['after-close'],
    seed: 2_072,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: 'await settlesWithin(this.runtime, this.#drained(), drainMs))) this.#dropQueue();',
        to: 'await settlesWithin(this.runtime, this.#drained(), drainMs))) void 0;',
      },
    ],
  },
  {
    name: 'late-failure-unsaid',
    wrong: 'what a handler failed at after close is neither set aside nor said, though nothing brings it again',
    caughtBy: ['lost'],
    seed: 2_107,
    patches: [
      {
        module: 'deliver/delivery.ts',
        from: 'return this.lease !== undefined && this.abandoned;',
        to: 'return this.abandoned;',
      },
    ],
  },
  {
    name: 'close-forgets-what-is-owed',
    wrong: 'close does not wait for what the service has already taken',
    caughtBy: ['close-owes'],
    seed: 402,
    patches: [
      {
        module: 'receive/source-receiver.ts',
        from: 'return caughtUp && settlesWithin(this.context.runtime, caughtUp, limitMs);',
        to: 'void limitMs;\n    void caughtUp;\n    return undefined;',
      },
    ],
  },
  {
    name: 'settles-twice',
    wrong: 'a lease is settled again after it was accepted',
    caughtBy: ['settled-twice'],
    seed: 8,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: '      this.#settle(delivery, ACCEPT);\n      this.#free(delivery);\n    } else if',
        to: '      this.#settle(delivery, ACCEPT);\n      this.receiver.settler.settle(delivery.lease, RELEASE);\n      this.#free(delivery);\n    } else if',
      },
    ],
  },
  {
    name: 'lease-leaked',
    wrong: 'what a handler still holds at close is never given back',
    caughtBy: ['lease-leaked'],
    seed: 38,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: '      if (!delivery.abandoned) this.#settle(delivery, RELEASE);\n      if ((delivery.lease',
        to: '      if ((delivery.lease',
      },
    ],
  },
  {
    name: 'request-outlives-close',
    wrong: 'a request that waits for replies is not ended by close',
    caughtBy: ['unsettled', 'residue-timers', 'residue-holds'],
    seed: 37,
    patches: [{ module: 'connection/broadcaster.ts', from: '    context.requests.close(closedError());\n', to: '' }],
  },
  {
    name: 'hold-unreleased',
    wrong: 'the process is kept alive after everything was sent',
    caughtBy: ['residue-holds'],
    seed: 1,
    patches: [{ module: 'publish/batch-queue.ts', from: 'if (this.#holds) this.#runtime.release();', to: '' }],
  },
  {
    name: 'divided-lease-accepted-early',
    wrong: 'of several members that share an event for their instance the first one settles it for all',
    caughtBy: ['settled-early'],
    seed: 322,
    patches: [
      {
        module: 'adapter/divide-lease.ts',
        from: 'return left === 0 ? lease.settle(outcome) : undefined;',
        to: 'return left === count - 1 ? lease.settle(outcome) : undefined;',
      },
    ],
  },
  {
    name: 'divided-lease-never-settled',
    wrong: 'an event that members share is never settled',
    caughtBy: ['lease-leaked'],
    seed: 56,
    patches: [
      {
        module: 'adapter/divide-lease.ts',
        from: 'return left === 0 ? lease.settle(outcome) : undefined;',
        to: 'return left < 0 ? lease.settle(outcome) : undefined;',
      },
    ],
  },
  {
    name: 'pair-half-settled',
    wrong: 'of an event that came by two ways only the first lease is settled',
    caughtBy: ['lease-leaked'],
    seed: 56,
    patches: [
      {
        module: 'deliver/paired-lease.ts',
        from: 'leases.map(async (lease) => lease.settle(settlement))',
        to: 'leases.slice(0, 1).map(async (lease) => lease.settle(settlement))',
      },
    ],
  },
  {
    name: 'pair-drops-untold',
    wrong: 'a copy that came without a lease is dropped without a word, since the other one had a lease',
    caughtBy: ['lost'],
    seed: 157,
    patches: [
      {
        module: 'deliver/subscription.ts',
        from: 'return delivery.lease === undefined || (delivery.lease as HeldLease).isOnce ? 1 : 0;',
        to: 'return delivery.lease === undefined ? 1 : 0;',
      },
    ],
  },
  {
    name: 'both-ways-handled',
    wrong: 'an event that comes through the group and past it is handled twice',
    caughtBy: ['duplicate'],
    seed: 85,
    patches: [
      {
        module: 'receive/group-receiver.ts',
        from: 'isHeld || this.wasAccepted(event) ||',
        to: 'isHeld ||',
      },
    ],
  },
  {
    name: 'second-way-not-joined',
    wrong: 'an event that is being handled is handled again when it comes by its other way',
    caughtBy: ['duplicate'],
    seed: 1_555,
    patches: [
      {
        module: 'deliver/deliveries-of.ts',
        from: 'if (delivery.event.id !== event.id || delivery.event.source !== event.source) continue;',
        to: 'if (pair !== undefined || delivery.event.id !== event.id || delivery.event.source !== event.source) continue;',
      },
    ],
  },
  {
    name: 'given-up-again',
    wrong: 'what a member set aside it handles again when it comes by its other way',
    caughtBy: ['given-up'],
    seed: 130,
    patches: [
      {
        module: 'receive/group-receiver.ts',
        from: ' || givenUp.has(event)',
        to: '',
      },
    ],
  },
  {
    name: 'direct-source-closed-early',
    wrong: 'what is for the instance is no longer listened to while a member still holds some of it',
    caughtBy: ['lease-leaked'],
    seed: 544,
    patches: [
      {
        module: 'receive/source-receiver.ts',
        from: '(this.holders > 0 ||\n        this.#subscriptions',
        to: '(this.#subscriptions',
      },
    ],
  },
  {
    name: 'direct-source-unbounded',
    wrong: 'what is for the instance is fetched beyond the buffer of a member',
    caughtBy: ['buffer'],
    seed: 724,
    patches: [
      {
        module: 'receive/source-receiver.ts',
        from: 'least = Math.min(least, room)',
        to: 'void room',
      },
    ],
  },
];
