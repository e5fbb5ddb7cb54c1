export { type AccessRule, ALL_RIGHTS, type Right } from './access-rule.ts';
export { type AccessRules, Authority, type AuthorityOptions, type TokenKind } from './authority.ts';
export { AuthError } from './error.ts';
export { Grant } from './grant.ts';
export { audienceOf, authorize, readAuthorization } from './http-authorization.ts';
export type { JwtOptions, JwtRules } from './jwt.ts';
export { parseSas, signSas, verifySas } from './sas.ts';
