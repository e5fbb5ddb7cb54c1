import { redactText, secretsOf } from '@polycast/core/configuration';

/** Variables that hold a transport's URL. */
const URL_VARIABLES = ['POLYCAST_URL', 'POLYCAST_REDIS_URL'];

const EMAIL = /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/;

/**
 * A text without the secrets of the addresses in it, and without those that are known to be secret.
 * @param known see {@link knownSecrets}
 */
export function hideSecrets(text: string, known?: readonly string[]): string {
  return redactText(text, known);
}

/** What in the arguments and the environment is, or may be, a secret: hidden wherever it turns up, whoever repeats it. */
export function knownSecrets(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const found = new Set<string>();
  const note = (text: string) => {
    for (const secret of secretsOf(text)) found.add(secret);
  };
  for (const [at, arg] of args.entries()) {
    const value = /^--?[a-z-]+=(.*)$/s.exec(arg)?.[1] ?? /^-u(.+)$/s.exec(arg)?.[1] ?? arg;
    const isUrl = /^(?:--url|-u)$/.test(args[at - 1] ?? '') || (value !== arg && /^(?:--url=|-u)/.test(arg));
    // What no option looks like is something that was pasted in the wrong place.
    const isPasted = arg.startsWith('-') && !/^--?[A-Za-z-]+(?:=|$)/.test(arg);
    const isAddress = redactText(value) !== value || (value.includes('@') && !EMAIL.test(value));
    if (isUrl || isAddress) note(value);
    if (isPasted) note(arg.replace(/^-+/, ''));
  }
  for (const name of URL_VARIABLES) note(environment[name] ?? '');
  return [...found];
}

/** A copy of a result, whose strings hold none of the known secrets: servers and drivers may repeat them. */
export function withoutSecrets<Value>(value: Value, known: readonly string[] = []): Value {
  if (known.length === 0) return value;
  if (typeof value === 'string') return masked(value, known) as Value;
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, known)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [masked(key, known), withoutSecrets(item, known)]),
  ) as Value;
}

function masked(text: string, known: readonly string[]): string {
  return known.some((secret) => text.includes(secret)) ? redactText(text, known) : text;
}
