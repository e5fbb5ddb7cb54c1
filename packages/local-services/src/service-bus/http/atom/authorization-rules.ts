import { randomBytes } from 'node:crypto';
import type { Element } from '@xmldom/xmldom';
import type { Right } from '../../../auth/index.ts';
import { badRequest } from '../../../http/index.ts';
import type { AuthorizationRule } from '../../broker/descriptions.ts';
import { LIMITS } from '../../broker/limits.ts';
import { SERVICE_BUS, XSI } from '../xml/namespaces.ts';
import { child, children, textOf, typeOf } from '../xml/read.ts';
import { add } from '../xml/write.ts';
import { formatTime } from './times.ts';

const TYPE = 'SharedAccessAuthorizationRule';
const RIGHTS = new Map<string, Right>([
  ['Manage', 'manage'],
  ['Send', 'send'],
  ['Listen', 'listen'],
]);
const CLAIM_TYPE = 'SharedAccessKey';
const CLAIM_VALUE = 'None';
const KEY_BYTES = 32;
/** Of that many bytes. */
const KEY = /^[A-Za-z0-9+/]{43}=$/;
/** What stays as it is in a URL. */
const KEY_NAME = /^[\w.!*()-]{1,256}$/;

/** @throws HttpError 400 */
export function readAuthorizationRules(element: Element): readonly AuthorizationRule[] {
  const rules = children(element).map(readRule);
  if (rules.length > LIMITS.authorizationRules) {
    throw badRequest(`An entity has no more than ${LIMITS.authorizationRules} authorization rules.`);
  }
  const names = new Set(rules.map((rule) => rule.name.toLowerCase()));
  if (names.size < rules.length) throw badRequest('Two authorization rules have the same name.');
  return rules;
}

function readRule(element: Element): AuthorizationRule {
  if (element.localName !== 'AuthorizationRule')
    throw badRequest(`'${element.localName}' is not an AuthorizationRule.`);
  if ((typeOf(element)?.name ?? TYPE) !== TYPE) throw badRequest(`Authorization rules are of type '${TYPE}' only.`);
  const text = (name: string): string => {
    const found = child(element, SERVICE_BUS, name);
    return found === undefined ? '' : textOf(found).trim();
  };
  const name = text('KeyName');
  if (!KEY_NAME.test(name))
    throw badRequest(`The name of an authorization rule, '${name.slice(0, 50)}', is not valid.`);
  for (const [element, only] of [
    ['ClaimType', CLAIM_TYPE],
    ['ClaimValue', CLAIM_VALUE],
  ] as const) {
    const claim = text(element);
    if (claim !== '' && claim !== only) {
      throw badRequest(`The ${element} of an authorization rule is '${only}', not '${claim.slice(0, 50)}'.`);
    }
  }
  const rightsElement = child(element, SERVICE_BUS, 'Rights');
  const rights = (rightsElement === undefined ? [] : children(rightsElement)).map((one) => {
    const right = RIGHTS.get(textOf(one).trim());
    if (right === undefined) throw badRequest(`The authorization rule '${name}' names a right there is not.`);
    return right;
  });
  if (new Set(rights).size < rights.length) throw badRequest(`The authorization rule '${name}' has a right twice.`);
  if (rights.length === 0) throw badRequest(`The authorization rule '${name}' has no rights.`);
  if (rights.includes('manage') && !(rights.includes('send') && rights.includes('listen'))) {
    throw badRequest(`The authorization rule '${name}' has Manage, and must have Send and Listen with it.`);
  }
  const key = (element: string): string => {
    const given = text(element);
    if (given === '') return randomBytes(KEY_BYTES).toString('base64');
    // It is a secret: the message does not repeat it.
    if (!KEY.test(given)) throw badRequest(`The ${element} of '${name}' is not ${KEY_BYTES} bytes in Base64.`);
    return given;
  };
  return { name, rights, primaryKey: key('PrimaryKey'), secondaryKey: key('SecondaryKey') };
}

/** The rules of an update, with the times of those that were there before. */
export function withTimes(
  rules: readonly AuthorizationRule[],
  before: readonly AuthorizationRule[],
  nowMs: number,
): readonly AuthorizationRule[] {
  return rules.map((rule) => {
    const old = before.find(({ name }) => name.toLowerCase() === rule.name.toLowerCase());
    const isSame =
      old?.primaryKey === rule.primaryKey &&
      old.secondaryKey === rule.secondaryKey &&
      old.rights.length === rule.rights.length &&
      old.rights.every((right) => rule.rights.includes(right));
    return {
      ...rule,
      createdAtMs: old?.createdAtMs ?? nowMs,
      modifiedAtMs: isSame ? (old.modifiedAtMs ?? nowMs) : nowMs,
    };
  });
}

/** @param otherwiseMs the times of rules that were not made over HTTP */
export function writeAuthorizationRules(
  rules: readonly AuthorizationRule[],
  otherwiseMs: number,
): (parent: Element) => void {
  return (parent) => {
    const list = add(parent, 'AuthorizationRules');
    for (const rule of rules) {
      const element = add(list, 'AuthorizationRule');
      element.setAttributeNS(XSI, 'i:type', TYPE);
      add(element, 'ClaimType', CLAIM_TYPE);
      add(element, 'ClaimValue', CLAIM_VALUE);
      const rights = add(element, 'Rights');
      for (const [name, right] of RIGHTS) if (rule.rights.includes(right)) add(rights, 'AccessRights', name);
      add(element, 'CreatedTime', formatTime(rule.createdAtMs ?? otherwiseMs));
      add(element, 'ModifiedTime', formatTime(rule.modifiedAtMs ?? otherwiseMs));
      add(element, 'KeyName', rule.name);
      add(element, 'PrimaryKey', rule.primaryKey);
      add(element, 'SecondaryKey', rule.secondaryKey);
    }
  };
}
