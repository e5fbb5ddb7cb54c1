import type { AccessRule } from '@polycast/local-services/service-bus';
import { InvalidArgumentError } from 'commander';

/** What services are started with. Each says which of these it takes. */
export interface ServiceOptions {
  port?: number;
  host?: string;
  tls?: boolean;
  config?: string;
  tier?: Tier;
  key?: readonly AccessRule[];
}

export const TIERS = ['basic', 'standard', 'premium'] as const;
export type Tier = (typeof TIERS)[number];

const RIGHTS: readonly string[] = ['manage', 'send', 'listen'];

/** Collects `NAME=KEY` or `NAME:send,listen=KEY`. Keys may hold `=`. */
export function accessRule(text: string, before: readonly AccessRule[] = []): readonly AccessRule[] {
  const [, name, rights, key] = /^([\w.-]+)(?::([a-z,]+))?=(.+)$/.exec(text) ?? [];
  if (name === undefined || key === undefined) {
    throw new InvalidArgumentError('Write it as NAME=KEY, or NAME:send,listen=KEY.');
  }
  const chosen = rights?.split(',') ?? RIGHTS;
  if (!chosen.every((right) => RIGHTS.includes(right))) {
    throw new InvalidArgumentError(`The rights are ${RIGHTS.join(', ')}.`);
  }
  if (before.some((rule) => rule.name === name)) throw new InvalidArgumentError(`"${name}" is given twice.`);
  return [...before, { name, key, rights: chosen as AccessRule['rights'] }];
}
