const RFC_1123 = /^\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT\s*$/;
const ISO_8601 = /^\s*\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,7})?(?<zone>Z|[+-]\d{2}:\d{2})?\s*$/;

/** @returns epoch ms of a date in the form HTTP uses */
export function parseRfc1123(text: string): number | undefined {
  const ms = RFC_1123.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** The same, or ISO 8601; without a zone it is UTC. */
export function parseHttpDate(text: string): number | undefined {
  const rfc = parseRfc1123(text);
  if (rfc !== undefined) return rfc;
  const match = ISO_8601.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(`${text.trim()}${match.groups?.zone === undefined ? 'Z' : ''}`);
  return Number.isNaN(ms) ? undefined : ms;
}
