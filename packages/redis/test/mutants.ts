import type { Mutant } from '../../../scripts/mutants.ts';

const by = (file: string, test: string) => ({ project: 'redis', file: `test/${file}.test.ts`, test });

const AWAY =
  'a replica that took over may be behind which a durable subscription is told once whose members were all away';
const THERE = 'a replica that took over may be behind which a group is told only if it had members that were all away';
const BEFORE_KILL = 'when the server is killed right after a group read past what was trimmed, the loss is signalled';
const ALL_READ = 'when the server is killed right after a group read all there was, no loss is';
const TOO_LATE =
  'what the server loses while a handler has it, and forgotten by the server since, is signalled when it is to be given back';
const CLAIMED =
  'what the server loses is not what another member has claimed from a handler that gives it back too late';
const BETWEEN_READS = 'a stream that is gone is signalled where an event came and went between two reads';
const DEMOTED = 'pub/sub publishes nothing to a server that was demoted, and signals what may be lost';
const WITHOUT_INFO =
  'asks for the role with HELLO where INFO is not allowed: what a demoted server took is signalled all the same';
const GOES_ALONG =
  'where the server says whose data it is who listens goes along when only the connection for commands has found the server that took over';
const UNANSWERED = 'a member that joins without an answer and';
const BETWEEN_KEEP_ALIVES =
  'a replica that took over may be behind which is told once, although it was demoted and promoted between two keep-alives: pub/sub, publishing';

const FIRST_COUNTS = 'of the addresses of an event a durable subscription takes the first, by itself and in a batch';
const TWO_ROLES =
  'groups of one name in two roles are two groups: each gets what is for everyone, and for both roles, once';

/** Faults of this adapter that were found from outside, put back. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'takeover-unrecorded',
    wrong: 'who notices that another server took over leaves no word for groups whose members are away',
    caughtBy: by('replica', AWAY),
    patches: [
      {
        module: 'redis/src/streams.ts',
        from: '      onTakeover: (takeover) => recordTakeover(commands.client, this.#keeper.keys, takeover),\n',
        to: '',
      },
    ],
  },
  {
    name: 'takeover-untold',
    wrong: 'who comes back to a group does not hear of a takeover meanwhile',
    caughtBy: by('replica', AWAY),
    patches: [
      {
        module: 'redis/src/group-membership.ts',
        from: '    if (joined.isUntold && known === undefined) this.signalGap(undefined);\n',
        to: '',
      },
    ],
  },
  {
    name: 'takeover-told-again',
    wrong: 'that a group was told of a takeover is not kept: each life of it is told',
    caughtBy: by('replica', AWAY),
    patches: [
      {
        module: 'redis/src/group-scripts.ts',
        from: "if told ~= takeover then redis.call('HSET', groupsKey, toldNameOf(address, group), takeover) end\n",
        to: '',
      },
      { module: 'redis/src/group-scripts.ts', from: 'if takeover then\n', to: 'if false then\n' },
    ],
  },
  {
    name: 'takeover-told-to-who-saw-it',
    wrong: 'a beat does not note that who lives has learned of a takeover: their next life is told again',
    caughtBy: by('replica', THERE),
    patches: [{ module: 'redis/src/group-scripts.ts', from: 'if takeover then\n', to: 'if false then\n' }],
  },
  {
    name: 'takeover-told-to-who-is-new',
    wrong: 'a group that was made after a takeover is told of it',
    caughtBy: by('replica', THERE),
    patches: [
      {
        module: 'redis/src/group-scripts.ts',
        from: 'local isUntold = made.err and told ~= takeover and 1 or 0',
        to: 'local isUntold = told ~= takeover and 1 or 0',
      },
    ],
  },
  {
    name: 'takeover-told-twice',
    wrong: 'a life that saw a takeover is told of it by its group, too',
    caughtBy: by('replica', THERE),
    patches: [
      {
        module: 'redis/src/group-membership.ts',
        from: 'joined.isUntold && known === undefined',
        to: 'joined.isUntold',
      },
    ],
  },
  {
    name: 'trimmed-before-the-kill',
    wrong: 'what was trimmed between the last look and the end of the server counts as read',
    caughtBy: by('group-restart', BEFORE_KILL),
    patches: [{ module: 'redis/src/group-membership.ts', from: 'if (mayBeUnread || (', to: 'if ((' }],
  },
  {
    name: 'account-not-kept',
    wrong: 'what a look found to be accounted for is not kept for the next',
    caughtBy: by('group-restart', BEFORE_KILL),
    patches: [
      {
        module: 'redis/src/group-membership.ts',
        from: 'known.accounted = found.lost === undefined || found.read === undefined ? undefined : found.read + found.lost;',
        to: '',
      },
    ],
  },
  {
    name: 'removed-is-lost',
    wrong: 'a restart of the server is taken for a loss although nothing was removed',
    caughtBy: by('group-restart', ALL_READ),
    patches: [
      {
        module: 'redis/src/group-membership.ts',
        from: 'isUntold && (found.removed ?? 0) > (known.accounted ?? Number.POSITIVE_INFINITY)',
        to: 'isUntold',
      },
    ],
  },
  {
    name: 'read-all-once',
    wrong: 'a plain reader that once had read all takes what came and went between two reads for read',
    caughtBy: by('stream-plain', BETWEEN_READS),
    patches: [
      {
        module: 'redis/src/stream-plain.ts',
        from: '(this.#hasReadAll && !this.#isUncounted)',
        to: 'this.#hasReadAll',
      },
    ],
  },
  {
    name: 'reading-is-counting',
    wrong: 'what was read is not counted against what the stream has had',
    caughtBy: by('stream-plain', BETWEEN_READS),
    patches: [{ module: 'redis/src/stream-plain.ts', from: '    this.#isUncounted = true;\n', to: '' }],
  },
  {
    name: 'given-back-to-nobody',
    wrong: 'an event that is gone is given back in silence',
    caughtBy: by('groups', TOO_LATE),
    patches: [
      {
        module: 'redis/src/pending-entry.ts',
        from: '      if (released) this.#holder.putBackTooLate(this);\n',
        to: '',
      },
    ],
  },
  {
    name: 'accepted-too-late-is-lost',
    wrong: 'an event that is gone is signalled although it was accepted',
    caughtBy: by('groups', TOO_LATE),
    patches: [
      {
        module: 'redis/src/pending-entry.ts',
        from: 'if (released) this.#holder.putBackTooLate(this);',
        to: 'this.#holder.putBackTooLate(this);',
      },
    ],
  },
  {
    name: 'claimed-is-lost',
    wrong: 'an event that another member has claimed is signalled as lost when it is given back',
    caughtBy: by('groups', CLAIMED),
    patches: [
      {
        module: 'redis/src/group-entries.ts',
        from: "one.status === 'fulfilled' && one.value.length === 0",
        to: "one.status === 'fulfilled'",
      },
    ],
  },
  {
    name: 'demoted-unnoticed',
    wrong: 'a publisher goes on publishing to a server that was demoted',
    caughtBy: by('replica', DEMOTED),
    patches: [
      {
        module: 'redis/src/command-connection.ts',
        from: "    if (role === 'replica') return this.#refuse();\n",
        to: '',
      },
    ],
  },
  {
    name: 'demoted-without-loss',
    wrong: 'what was published to a demoted server counts as delivered',
    caughtBy: by('replica', WITHOUT_INFO),
    patches: [
      {
        module: 'redis/src/command-connection.ts',
        from: '  #loseToReplica(error: PolycastError): void {\n    this.#mayHaveLost = true;\n',
        to: '  #loseToReplica(error: PolycastError): void {\n',
      },
    ],
  },
  {
    name: 'demoted-and-back-unnoticed',
    wrong: 'a server that was demoted and promoted between two keep-alives counts as the same',
    caughtBy: by('replica', BETWEEN_KEEP_ALIVES),
    patches: [
      {
        module: 'redis/src/command-connection.ts',
        from: 'if (isTakeOver && this.#isUp) this',
        to: 'if (false) this',
      },
    ],
  },
  {
    name: 'listeners-stay-with-the-demoted',
    wrong: 'the connection for commands has found the server that took over, and the one that listens stays behind',
    caughtBy: by('replica', GOES_ALONG),
    patches: [
      {
        module: 'redis/src/command-connection.ts',
        from: '      this.#options.commands.moved({ history, isSame, lostAtMs: this.#monitor.downSinceMs });\n',
        to: '      void isSame;\n',
      },
    ],
  },
  {
    name: 'unanswered-join-stays',
    wrong: 'who joined again without an answer is taken for a new life when it leaves: its group stays',
    caughtBy: by('groups', `${UNANSWERED} closes then, leaves nothing`),
    patches: [
      {
        module: 'redis/src/group-membership.ts',
        from: 'const readers = [...this.#unanswered];',
        to: 'const readers: number[] = [];',
      },
    ],
  },
  {
    name: 'join-after-leave',
    wrong: 'a member that the server reads joining after it has left stays',
    caughtBy: by('groups', `${UNANSWERED} leaves before the server has read that it joins, leaves nothing`),
    patches: [
      {
        module: 'redis/src/group-membership.ts',
        from: '    await this.#untilDone([...this.#unanswered]);\n    await this.#leaveAll();\n',
        to: '',
      },
    ],
  },
  {
    name: 'refused-member-stays',
    wrong: 'a subscription that could not be opened leaves the group that it had joined',
    caughtBy: by('groups', `${UNANSWERED} is refused for that, leaves nothing: { group: 'g' }`),
    patches: [
      {
        module: 'redis/src/stream-group.ts',
        from: '      await settlesWithin(GOODBYE_TIMEOUT_MS, this.#membership.leaveAll());\n',
        to: '',
      },
    ],
  },
  {
    name: 'every-copy-counts',
    wrong: 'a durable subscription gets an event by each of its addresses',
    caughtBy: by('role-groups', FIRST_COUNTS),
    patches: [
      {
        module: 'redis/src/group-entries.ts',
        from: '      if (!comesByAnother(event, address, this.#addresses)) events.push([event, index]);\n',
        to: '      events.push([event, index]);\n',
      },
    ],
  },
  {
    name: 'one-group-for-all-roles',
    wrong: 'groups of one name are one group, whatever their role',
    caughtBy: by('role-groups', TWO_ROLES),
    patches: [
      {
        module: 'redis/src/stream-group.ts',
        from: 'request.group}`',
        to: "request.group.split('/')[1]}`",
      },
    ],
  },
  {
    name: 'opens-for-nobody',
    wrong: 'a connection goes on being opened although its connect was aborted',
    caughtBy: by('silent-server', 'pub/sub gives up what it is opening once nobody waits for it'),
    patches: [
      {
        module: 'redis/src/client.ts',
        from: '      connected(client).then(() => requirePrimary(client)),\n      { late: () => seen.error, abortSignal },',
        to: '      connected(client).then(() => requirePrimary(client)),\n      { late: () => seen.error },',
      },
    ],
  },
];
