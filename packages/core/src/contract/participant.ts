import type { Runtime } from '../timing/runtime.ts';
import { type Address, checkName } from './address.ts';
import { type OptionNames, optionsOf } from './checked-option.ts';

/** One running instance that takes part in a topic. */
export interface Participant {
  /** Unique on the topic. A second broadcaster with the same id is rejected or signalled as `duplicate-instance`. */
  readonly instance: string;
  /** The function of the instance; many instances can share a role. */
  readonly role: string;
  /** Which roll-out it belongs to: a region, a colour, a version. */
  readonly deployment?: string;
}

/** The identity passed to `connect`. Invalid names: `invalid-address`. */
export interface ParticipantInput {
  /** @default a random id that starts with the role */
  instance?: string;
  /** @default 'default' */
  role?: string;
  deployment?: string;
}

const SELF_OPTIONS: OptionNames<ParticipantInput> = { instance: 1, role: 1, deployment: 1 };

/** @throws PolycastError `invalid-address`. @throws TypeError if it is not an object */
export function makeParticipant(input: ParticipantInput | undefined, runtime: Runtime): Participant {
  if (input !== undefined && (typeof input !== 'object' || input === null))
    throw new TypeError("self must be an object, such as { role: 'kitchen' }");
  const { role: ofRole, instance: named, deployment } = optionsOf('self', input, SELF_OPTIONS) ?? {};
  const role = checkName('role', ofRole ?? 'default');
  const instance = checkName('instance', named ?? `${role.slice(0, 30)}-${randomSuffix(runtime)}`);
  if (deployment === undefined) return { instance, role };
  return { instance, role, deployment: checkName('deployment', deployment) };
}

/** The addresses of a participant: everyone, its role, itself. */
export function addressesOf(self: Participant): readonly Address[] {
  return ['*', `role:${self.role}`, `instance:${self.instance}`];
}

/** The CloudEvents `source` of what a participant publishes: a relative URI-reference. */
export function sourceOf(self: Participant): string {
  return `/${self.role}/${self.instance}`;
}

/** Eight characters of 5 random bits each. */
function randomSuffix(runtime: Runtime): string {
  let text = '';
  for (let at = 0; at < 8; at++) text += (runtime.randomBits() & 31).toString(32);
  return text;
}
