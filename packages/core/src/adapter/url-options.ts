import { invalidConfiguration, type Siblings, unknownName } from './check-options.ts';
import type { Option } from './option.ts';

/** What a URL can say of options: some of them. */
export type UrlOptions<Table> = {
  -readonly [Name in keyof Table]?: Table[Name] extends Option<infer Value, infer _> ? Value : never;
};

/**
 * Reads the options among the parameters of a URL: those of the table with `inUrl`, checked as `checkOptions` does.
 * @param siblings tables of other URLs of the package, by scheme: `{ 'television:': TELEVISION_OPTIONS }`
 * @throws PolycastError `invalid-configuration` for a parameter that is unknown, is given twice, may not be in a URL, is empty, or has no such
 * value. No message repeats a value
 */
export function readUrlOptions<Table extends object>(
  url: URL,
  table: Table,
  siblings: Siblings = {},
): UrlOptions<Table> {
  const options: Record<string, unknown> = {};
  for (const [name, text] of url.searchParams) {
    const kind = Object.hasOwn(table, name) ? (table as Record<string, Option<unknown>>)[name] : undefined;
    if (kind === undefined) {
      throw unknownName(`${url.protocol} unknown parameter`, name, parametersOf(table), siblings);
    }
    if (kind.read === undefined) throw invalidConfiguration(`${url.protocol} ${name} cannot be set by a URL parameter`);
    if (Object.hasOwn(options, name)) throw invalidConfiguration(`${url.protocol} parameter ${name} is given twice`);
    const value = kind.read(text, url);
    if (value === undefined || !kind.is(value))
      throw invalidConfiguration(`${url.protocol} ${name} must be ${kind.expected}`);
    options[name] = value;
  }
  return options as UrlOptions<Table>;
}

/** The names that a URL may use. */
function parametersOf(table: object): string[] {
  return Object.entries<Option<unknown>>(table as never).flatMap(([name, { read }]) =>
    read === undefined ? [] : [name],
  );
}

/**
 * A part of a URL, percent-decoded.
 * @param what it is, for the message, which does not repeat it
 * @throws PolycastError `invalid-configuration`
 */
export function percentDecoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidConfiguration(`the ${what} of the URL is not correctly percent-encoded`);
  }
}
