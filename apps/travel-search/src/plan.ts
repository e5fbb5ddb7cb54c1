import { parseArgs } from 'node:util';
import { isService, SERVICES, type Service } from './offers.ts';
import { ROLES, type Role } from './travel.ts';

/** What to run in this process. */
export interface Plan {
  readonly url: string;
  readonly topic: string;
  /** Undefined: all of them. */
  readonly role: Role | undefined;
  /** Of each role. */
  readonly instances: number;
  /** Of the first web instance; the next has the next. 0: free ones. */
  readonly port: number;
  readonly deadlineMs: number;
  /** How long a service takes, where it is not to take its usual time. */
  readonly slowMs: Partial<Record<Service, number>>;
  /** One instance of this role ends when it takes a search. */
  readonly kill: Role | undefined;
}

export const DEFAULT_DEADLINE_MS = 4_000;
const MAX_DEADLINE_MS = 60_000;
const MAX_INSTANCES = 50;

export const HELP = `Searches flights, hotels, cars and deals for a trip, over any transport.

  npm run start -- [options]

  --url URL          memory:, redis://host:6379, redis+streams://host:6379 … (default: POLYCAST_URL, then memory:)
  --topic NAME       the space of this search (default: travel)
  --role ROLE        run only this role here: ${ROLES.join(', ')} (default: all)
  --instances N      instances of each role in this process (default: 2)
  --port PORT        of the page; a second web instance has the next one (default: free ones)
  --deadline MS      when a traveller is shown what there is (default: ${DEFAULT_DEADLINE_MS})
  --slow ROLE=MS     a service takes that long for a search; may be repeated
  --kill ROLE        one instance of the role is killed in the middle of a search, the first that it takes.
                     It has a process of its own; with --role it is this process. In memory it falls silent instead
  -h, --help

Exit codes: 0 ended by Ctrl-C · 1 it failed · 2 bad usage or configuration · 3 the service cannot be reached or does not let us in
`;

/** The command line asks for something that has no meaning. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @returns 'help' when it was asked for. @throws UsageError */
export function readPlan(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Plan | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const role = values.role === undefined ? undefined : oneOf('--role', values.role, ROLES);
  const kill = values.kill === undefined ? undefined : oneOf('--kill', values.kill, ROLES);
  const slowMs = Object.fromEntries((values.slow ?? []).map(readSlow)) as Plan['slowMs'];

  // What nobody here would obey is refused.
  if (kill === 'web') throw new UsageError('--kill web would end the requester, too; kill the aggregator or a service');
  if (role !== undefined && role !== 'web') {
    for (const name of ['port', 'deadline'] as const) {
      if (values[name] !== undefined) throw new UsageError(`--${name} is for the web tier, which does not run here`);
    }
  }
  for (const name of [...Object.keys(slowMs), ...(kill === undefined ? [] : [kill])]) {
    if (role !== undefined && role !== name) throw new UsageError(`${name} does not run here: this is ${role}`);
  }
  return {
    url: values.url ?? (env.POLYCAST_URL || 'memory:'),
    topic: values.topic ?? 'travel',
    role,
    instances: whole('--instances', values.instances ?? '2', 1, MAX_INSTANCES),
    port: whole('--port', values.port ?? '0', 0, 65_535),
    deadlineMs: whole('--deadline', values.deadline ?? String(DEFAULT_DEADLINE_MS), 100, MAX_DEADLINE_MS),
    slowMs,
    kill,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ url: text, topic: text, role: text, instances: text, port: text, deadline: text, kill: text },
        slow: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (thrown) {
    throw new UsageError((thrown as Error).message);
  }
}

function readSlow(text: string): [Service, number] {
  const [, service, ms = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!isService(service))
    throw new UsageError(`--slow takes a service and a time, such as --slow ${SERVICES[1]}=3000`);
  return [service, whole(`--slow ${service}`, ms, 0, MAX_DEADLINE_MS)];
}

function oneOf<Value extends string>(option: string, text: string, values: readonly Value[]): Value {
  const value = values.find((known) => known === text);
  if (value === undefined) throw new UsageError(`${option} must be one of ${values.join(', ')}`);
  return value;
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} must be a whole number from ${least} to ${most}`);
}
