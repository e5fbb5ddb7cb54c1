import type { CapabilityName, Manifest } from '@polycast/core';
import type { CaseContext } from './context.ts';
import type { Need } from './target.ts';

/** What a transport must claim for a case to concern it. */
export interface Requirements {
  /** Each must be `native` or `emulated`. */
  readonly capabilities?: readonly CapabilityName[];
  /** Each must be `native`: the case looks below core. */
  readonly native?: readonly CapabilityName[];
  /** Each must be `emulated`: the case looks at what core does. */
  readonly emulated?: readonly CapabilityName[];
  /** Each must be `none`: the case checks the refusal. */
  readonly absent?: readonly CapabilityName[];
  readonly guarantee?: Manifest['guarantee'];
  /** The transport states how large an event may be. */
  readonly sizeLimit?: true;
  /** The list of members is billed. */
  readonly billedMembers?: true;
  /** It subscribes in groups only, or not at all: it concerns transports without `fanOut`, too. Others subscribe without a group. */
  readonly groupsOnly?: true;
}

/** One check of one clause. */
export interface ConformanceCase {
  /** `<file>/<name>`, stable: reports of different versions are compared by it. */
  readonly id: string;
  readonly clause: string;
  readonly title: string;
  readonly requires?: Requirements;
  readonly needs?: readonly Need[];
  /** May nothing else run beside it? Cases that need a fault of the service never share. @default false */
  readonly alone?: boolean;
  /** Maximum duration, ms. @default the runner's `caseTimeoutMs` */
  readonly timeoutMs?: number;
  /** Rejects with the reason when the transport fails it. */
  run(context: CaseContext): Promise<void>;
}

/** @returns why a manifest rules the case out; undefined if the case concerns it */
export function ruledOut(requires: Requirements | undefined, manifest: Manifest): string | undefined {
  if (requires?.groupsOnly !== true && manifest.capabilities.fanOut.level === 'none')
    return "capability 'fanOut' is none";
  if (requires === undefined) return undefined;
  for (const name of requires.capabilities ?? []) {
    if (manifest.capabilities[name].level === 'none') return `capability '${name}' is none`;
  }
  for (const name of requires.native ?? []) {
    const { level } = manifest.capabilities[name];
    if (level !== 'native') return `capability '${name}' is ${level}, not native`;
  }
  for (const name of requires.emulated ?? []) {
    const { level } = manifest.capabilities[name];
    if (level !== 'emulated') return `capability '${name}' is ${level}, not emulated`;
  }
  for (const name of requires.absent ?? []) {
    const { level } = manifest.capabilities[name];
    if (level !== 'none') return `capability '${name}' is ${level}: there is nothing to refuse`;
  }
  if (requires.guarantee !== undefined && requires.guarantee !== manifest.guarantee) {
    return `the guarantee is ${manifest.guarantee}`;
  }
  if (requires.billedMembers && manifest.capabilities.members.billed !== true)
    return 'the list of members is not billed';
  if (requires.sizeLimit && manifest.limits.maxEventBytes === Number.POSITIVE_INFINITY) {
    return 'the size of an event is bounded by memory alone';
  }
  return undefined;
}

/** The chapters whose cases decide about a capability; elsewhere it is merely used. */
const DECIDED_IN: Readonly<Record<CapabilityName, readonly string[]>> = {
  everyone: ['addressing'],
  fanOut: ['subscribe'],
  role: ['addressing', 'native'],
  instance: ['addressing', 'native'],
  carbonCopy: ['addressing'],
  groups: ['groups', 'native'],
  settlement: ['settlement', 'native'],
  redelivery: ['settlement', 'groups', 'native'],
  crashRedelivery: ['faults', 'native'],
  delayedRelease: ['settlement', 'native'],
  deadLetter: ['settlement', 'native'],
  lock: ['settlement', 'native'],
  durable: ['durable'],
  replay: ['durable'],
  ttl: ['ttl'],
  order: ['order', 'native'],
  partitionKey: ['order'],
  dedupe: ['dedupe', 'native'],
  gapDetection: ['signals'],
  members: ['members', 'native'],
  request: ['request'],
  chunking: ['payloads'],
  binary: ['payloads'],
  filterPushDown: ['native'],
  backPressure: ['limits'],
  confirm: ['publish', 'faults'],
  endpoint: ['limits'],
};

/** The capabilities that a case decides about. */
export function provenBy(test: ConformanceCase): readonly CapabilityName[] {
  const names = new Set([...(test.requires?.capabilities ?? []), ...(test.requires?.native ?? [])]);
  const chapter = test.clause.slice(0, test.clause.indexOf('.'));
  return [...names].filter((name) => DECIDED_IN[name].includes(chapter));
}

/** May cases run beside it? Those that disturb the service may not. */
export function runsAlone(test: ConformanceCase): boolean {
  return test.alone === true || (test.needs ?? []).some((need) => DISTURBING.has(need));
}

const DISTURBING: ReadonlySet<Need> = new Set(['restart', 'kill', 'freeze', 'cut', 'throttle', 'handles']);
