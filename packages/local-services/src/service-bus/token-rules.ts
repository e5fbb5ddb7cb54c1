import { ALL_RIGHTS, type JwtRules, type TokenKind } from '../auth/index.ts';

/** Entra ID issues tokens for this service under either of its two names. */
export const JWT_RULES: JwtRules = {
  audiences: [
    'https://servicebus.azure.net',
    'https://servicebus.azure.net/',
    'https://eventhubs.azure.net',
    'https://eventhubs.azure.net/',
  ],
  roles: new Map([
    ['Azure Service Bus Data Owner', ALL_RIGHTS],
    ['Azure Service Bus Data Sender', ['send']],
    ['Azure Service Bus Data Receiver', ['listen']],
  ]),
};

const TOKEN_KINDS: ReadonlyMap<string, TokenKind> = new Map([
  ['servicebus.windows.net:sastoken', 'sas'],
  ['amqp:sastoken', 'sas'],
  ['servicebus.windows.net:jwt', 'jwt'],
  ['amqp:jwt', 'jwt'],
  ['jwt', 'jwt'],
]);

/** By the `type` of a put-token request; undefined: a kind the service does not know. */
export function tokenKindOf(type: string): TokenKind | undefined {
  return TOKEN_KINDS.get(type.toLowerCase());
}
