import {
  acceptedValues,
  bareTest,
  type Condition,
  type FilterTarget,
  type FilterValue,
  type IntegerSet,
  type PushOptions,
  type PushReason,
  REQUIRED_ATTRIBUTES,
  readAttribute,
  reasonFor,
  type Share,
  splitCondition,
  type Test,
  typeAdvice,
} from '@polycast/core/filter';
import { isContentType, isTimestamp, propertyOf } from './service-bus-columns.ts';

/** What `CorrelationRuleFilter` of `@azure/service-bus` takes: all of it must be equal, with case and type. */
export interface CorrelationRule {
  readonly contentType?: string;
  readonly applicationProperties?: Readonly<Record<string, FilterValue>>;
}

/** Equal values, by attribute. */
type Equalities = ReadonlyMap<string, FilterValue>;
/** Any of them: a rule each. */
type Rules = readonly Equalities[];

/**
 * Correlation filters of a Service Bus subscription, the cheapest that Service Bus has: one rule is an AND of equalities, a
 * subscription takes several, of which one has to match. No rule: no event passes.
 *
 * @see https://learn.microsoft.com/azure/service-bus-messaging/topic-filters, "Correlation filters"
 */
export const serviceBusCorrelation: FilterTarget<readonly CorrelationRule[]> = {
  name: 'service-bus-correlation',
  title: 'Service Bus, correlation filters',
  push(condition, options) {
    const { natives, residual, reasons } = splitCondition<Rules>(condition, {
      share: (part) => shareOf(part, options),
      fits: (rules) => rules.reduce((product, { length }) => product * Math.max(length, 1), 1) <= MAX_RULES,
      tooMuch: (part) => reasonFor(part, TOO_MANY),
    });
    if (natives.length === 0) return { native: undefined, text: '', residual, reasons, accepts: () => true };
    const rules = natives.reduce(multiply).map(ruleOf);
    return {
      native: rules,
      text: rules.length === 0 ? 'no rule' : rules.map(printRule).join('\nor '),
      residual,
      reasons,
      accepts: (event) => rules.some((rule) => matches(rule, event)),
    };
  },
};

/** Most rules for one subscription. A topic takes 100,000 correlation filters and 2,000 subscriptions: 50 each. */
const MAX_RULES = 50;
const TOO_MANY = `it takes more than ${MAX_RULES} rules`;
const CONTENT_TYPE = 'it is the content type of the message, which is also set for events without it';

/** Says nothing: a rule that asks for nothing. */
const EVERYTHING: Rules = [new Map()];

type Blame = (part: Condition, reason: string) => void;

function shareOf(part: Condition, options: PushOptions): Share<Rules> {
  const reasons: PushReason[] = [];
  const rules = rulesOf(part, options, (test, reason) => reasons.push(reasonFor(test, reason)));
  return { native: saysNothing(rules) ? undefined : rules, exact: reasons.length === 0, reasons };
}

/** The rules of which one matches wherever the condition holds; `blame` is told why they match elsewhere. */
function rulesOf(condition: Condition, options: PushOptions, blame: Blame): Rules {
  switch (condition.kind) {
    case 'always':
      return EVERYTHING;
    case 'never':
      return [];
    case 'all': {
      let rules = EVERYTHING;
      for (const part of condition.of) {
        const own = rulesOf(part, options, blame);
        if (rules.length * own.length <= MAX_RULES) rules = multiply(rules, own);
        else blame(part, TOO_MANY);
      }
      return rules;
    }
    case 'any': {
      const rules = condition.of.flatMap((part) => rulesOf(part, options, blame));
      if (saysNothing(rules)) return EVERYTHING;
      if (rules.length <= MAX_RULES) return rules;
      blame(condition, TOO_MANY);
      return EVERYTHING;
    }
    default:
      return rulesOfTest(condition, options, blame);
  }
}

function rulesOfTest(test: Test, options: PushOptions, blame: Blame): Rules {
  if (test.kind === 'present' && REQUIRED_ATTRIBUTES.has(test.attribute)) return test.negated ? [] : EVERYTHING;
  const looksAt = test.kind === 'expression' ? bareTest(test) : test;
  if (looksAt === undefined || looksAt.kind === 'present') {
    blame(test, 'a correlation filter supports equality only');
    return EVERYTHING;
  }
  const { attribute } = looksAt;
  if (isTimestamp(attribute)) {
    blame(test, 'it is sent as a timestamp, which cannot equal a string');
    return EVERYTHING;
  }
  const sets = acceptedValues(looksAt, options);
  const integers = fewIntegers(sets.integer);
  const texts = sets.text.kind === 'in' ? sets.text.values : sets.text.kind === 'none' ? [] : undefined;
  if (integers === undefined || texts === undefined) {
    // With the type declared, what is left may be a few values.
    const advice = integers === undefined || sets.types.length === 1 ? '' : typeAdvice(attribute, sets.text);
    blame(test, `a correlation filter supports equality only${advice}`);
    return EVERYTHING;
  }
  const values = [...texts, ...integers, ...sets.boolean];
  if (values.length > MAX_RULES) {
    blame(test, TOO_MANY);
    return EVERYTHING;
  }
  if (isContentType(attribute)) blame(test, CONTENT_TYPE);
  return values.map((value) => new Map([[attribute, value]]));
}

/** The integers of a set, if it has no more than there may be rules. */
function fewIntegers(set: IntegerSet): readonly number[] | undefined {
  if (set.kind === 'none') return [];
  if (set.kind === 'in') return set.values;
  if (set.kind !== 'range' || set.negated || set.high - set.low >= MAX_RULES) return undefined;
  return Array.from({ length: set.high - set.low + 1 }, (_, at) => set.low + at);
}

function saysNothing(rules: Rules): boolean {
  return rules.some(({ size }) => size === 0);
}

/** All of one and of the other. What asks for two values of one attribute matches nothing. */
function multiply(some: Rules, others: Rules): Rules {
  return some.flatMap((one) =>
    others.flatMap((other) => {
      const both = new Map(one);
      for (const [attribute, value] of other) {
        if (both.has(attribute) && both.get(attribute) !== value) return [];
        both.set(attribute, value);
      }
      return [both];
    }),
  );
}

function ruleOf(equalities: Equalities): CorrelationRule {
  const properties: [string, FilterValue][] = [];
  let contentType: string | undefined;
  for (const [attribute, value] of equalities) {
    if (isContentType(attribute)) contentType = String(value);
    else properties.push([propertyOf(attribute), value]);
  }
  return {
    ...(contentType !== undefined && { contentType }),
    ...(properties.length > 0 && { applicationProperties: Object.fromEntries(properties) }),
  };
}

function printRule({ contentType, applicationProperties = {} }: CorrelationRule): string {
  const parts = Object.entries(applicationProperties).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  if (contentType !== undefined) parts.unshift(`ContentType = ${JSON.stringify(contentType)}`);
  return parts.join(' and ');
}

/** As Service Bus compares: a property of another type, or none, is not equal. */
function matches({ contentType, applicationProperties = {} }: CorrelationRule, event: Event): boolean {
  if (contentType !== undefined && readAttribute(event, 'datacontenttype') !== contentType) return false;
  return Object.entries(applicationProperties).every(([name, value]) => {
    return readAttribute(event, name.slice(PREFIX_LENGTH)) === value;
  });
}

type Event = Readonly<Record<string, unknown>>;
const PREFIX_LENGTH = propertyOf('').length;
