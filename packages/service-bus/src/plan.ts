import type { Address, SourceRequest } from '@polycast/core/adapter';
import { entityName } from './names.ts';
import { addressRule, everyoneRule, type PlannedRule, readerRule, severalRule, silentRule } from './rules.ts';

/** One Service Bus subscription that a source reads from. */
export interface SubscriptionPlan {
  readonly name: string;
  /** All must be there. */
  readonly rules: readonly PlannedRule[];
  readonly requiresSession: boolean;
  /** Goes when nobody has read from it for five minutes. */
  readonly autoDelete: boolean;
  /** Rules that are nobody else's are there by mistake. In a group there are those of other members. */
  readonly isExclusive: boolean;
  /** What is handed on: everything that came for one of these. */
  readonly addresses: readonly Address[];
  /** What is for none of these may be for another reader of it. */
  readonly passesOn: boolean;
}

/** What becomes of the subscriptions of a source that closes. */
export type Ending =
  /** They stay as they are. */
  | { readonly kind: 'keep' }
  /** They are removed. */
  | { readonly kind: 'delete'; readonly names: readonly string[] }
  /** The mark is taken from those; with the last mark of a prefix goes what was shared under it. */
  | {
      readonly kind: 'leave';
      readonly mark: string;
      readonly marked: readonly string[];
      readonly shared: readonly Shared[];
    };

/** Subscriptions that go with the last member whose mark begins so. */
export interface Shared {
  readonly markPrefix: string;
  readonly names: readonly string[];
  /** They stay where the group is durable. */
  readonly mayStay: boolean;
}

export interface SourcePlan {
  readonly subscriptions: readonly SubscriptionPlan[];
  readonly ending: Ending;
}

/** Whose source it is. */
export interface Reader {
  readonly instance: string;
  /** Of the link: the mark of its messages. */
  readonly link: string;
  /** Nobody else's, in any life: makes a dynamic subscription new. Without the right to create there is none, but a place among the link's sources. */
  readonly unique: string;
  /** Nobody else's but the link's, in any life. Empty without the right to create. */
  readonly life: string;
}

const MARK = 'mark.';
const DURABLE_MARK = `${MARK}durable`;

/** Which Service Bus subscriptions serve a source, with which rules, and what becomes of them. */
export function planSource(request: SourceRequest, reader: Reader): SourcePlan {
  return request.group === undefined ? readerPlan(request, reader) : groupPlan(request, reader, request.group);
}

function readerPlan({ addresses, filter, durable }: SourceRequest, { instance, link, unique }: Reader): SourcePlan {
  const name =
    durable === undefined ? entityName('instance', instance, unique) : entityName('durable', instance, durable);
  const subscription: SubscriptionPlan = {
    name,
    rules: [readerRule({ addresses, filter, ownLink: link })],
    requiresSession: false,
    autoDelete: durable === undefined,
    isExclusive: true,
    addresses,
    passesOn: false,
  };
  return {
    subscriptions: [subscription],
    ending: durable === undefined ? { kind: 'delete', names: [name] } : { kind: 'keep' },
  };
}

function groupPlan({ addresses, filter, durable }: SourceRequest, reader: Reader, group: string): SourcePlan {
  const subscriptions: SubscriptionPlan[] = [];
  const autoDelete = durable === undefined;
  const shared = { autoDelete, isExclusive: false, passesOn: false };
  const role = addresses.find((address) => address.startsWith('role:'));
  const instance = addresses.find((address) => address.startsWith('instance:'));
  const rolePrefix = `${MARK}${digest(role ?? '')}.`;
  const lifePrefix = `${rolePrefix}${digest(reader.instance, reader.life)}.`;
  const mark = `${lifePrefix}${reader.unique}`;
  const [ofAll, ofRole, ofInstance]: [string[], string[], string[]] = [[], [], []];
  for (const keyed of [false, true]) {
    const kind = keyed ? 'keyed' : '';
    const name = entityName('group', group, kind, 'all');
    ofAll.push(name);
    // The mark comes first: who leaves must see it before there is anything to lose.
    const rules = [instance === undefined ? silentRule(mark) : severalRule(instance, keyed, filter, mark)];
    if (addresses.includes('*')) rules.push(everyoneRule(keyed, filter));
    if (role !== undefined) rules.push(severalRule(role, keyed, filter));
    if (!autoDelete) rules.push(silentRule(DURABLE_MARK));
    subscriptions.push({ ...shared, name, rules, requiresSession: keyed, addresses, passesOn: true });
    const own = (address: Address, names: string[], more: { name: string; autoDelete: boolean }) => {
      names.push(more.name);
      const rules = [addressRule(address, keyed, filter)];
      subscriptions.push({ ...shared, ...more, rules, requiresSession: keyed, addresses: [address] });
    };
    if (role !== undefined) own(role, ofRole, { name: entityName('group', group, kind, role), autoDelete });
    // What is for one instance waits for nobody else, and for it only while it lives.
    if (instance !== undefined)
      own(instance, ofInstance, { name: entityName('group', group, kind, instance, reader.life), autoDelete: true });
  }
  return {
    subscriptions,
    ending: {
      kind: 'leave',
      mark,
      marked: ofAll,
      shared: [
        { markPrefix: lifePrefix, names: ofInstance, mayStay: false },
        { markPrefix: rolePrefix, names: ofRole, mayStay: true },
        { markPrefix: MARK, names: ofAll, mayStay: true },
      ],
    },
  };
}

/** A part of a mark: short, and the same for the same parts alone. */
function digest(...parts: readonly string[]): string {
  return entityName(...parts).slice(-12);
}

/** Does the mark say that a group outlives its members? */
export function isDurableMark(ruleName: string): boolean {
  return ruleName === DURABLE_MARK;
}

/** Is it nobody's own, but the same for all who want the same? */
export function isSharedRule(ruleName: string): boolean {
  return !ruleName.startsWith(MARK);
}
