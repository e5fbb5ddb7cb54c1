import { randomBytes } from 'node:crypto';
import type { Element } from '@xmldom/xmldom';
import type { Right } from '../../auth/index.ts';
import type { AuthorizationRule } from '../../broker/descriptions.ts';
import { LIMITS } from '../../broker/limits.ts';
import { badRequest } from '../http-error.ts';
import { SERVICE_BUS, XSI } from '../xml/namespaces.ts';
import { child, children, textOf, typeOf } from '../xml/read.ts';
import { add } from '../xml/write.ts';

const TYPE = 'SharedAccessAuthorizationRule';
const RIGHTS = new Map<string, Right>([
  ['Manage', 'manage'],
  ['Send', 'send'],
  ['Listen', 'listen'],
]);
const KEY_BYTES = 32;
const KEY_NAME = /^[\w.-]{1,256}$/;

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
  const rightsElement = child(element, SERVICE_BUS, 'Rights');
  const rights = (rightsElement === undefined ? [] : children(rightsElement)).map((one) => {
    const right = RIGHTS.get(textOf(one).trim());
    if (right === undefined) throw badRequest(`The authorization rule '${name}' names a right there is not.`);
    return right;
  });
  if (rights.length === 0) throw badRequest(`The authorization rule '${name}' has no rights.`);
  if (rights.includes('manage') && !(rights.includes('send') && rights.includes('listen'))) {
    throw badRequest(`The authorization rule '${name}' has Manage, and must have Send and Listen with it.`);
  }
  return {
    name,
    rights: [...new Set(rights)],
    primaryKey: text('PrimaryKey') || newKey(),
    secondaryKey: text('SecondaryKey') || newKey(),
  };
}

const newKey = (): string => randomBytes(KEY_BYTES).toString('base64');

export function writeAuthorizationRules(rules: readonly AuthorizationRule[], times: string): (parent: Element) => void {
  return (parent) => {
    const list = add(parent, 'AuthorizationRules');
    for (const rule of rules) {
      const element = add(list, 'AuthorizationRule');
      element.setAttributeNS(XSI, 'i:type', TYPE);
      add(element, 'ClaimType', 'SharedAccessKey');
      add(element, 'ClaimValue', 'None');
      const rights = add(element, 'Rights');
      for (const [name, right] of RIGHTS) if (rule.rights.includes(right)) add(rights, 'AccessRights', name);
      add(element, 'CreatedTime', times);
      add(element, 'ModifiedTime', times);
      add(element, 'KeyName', rule.name);
      add(element, 'PrimaryKey', rule.primaryKey);
      add(element, 'SecondaryKey', rule.secondaryKey);
    }
  };
}
