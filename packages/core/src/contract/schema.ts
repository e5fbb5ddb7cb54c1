import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describeError } from './describe-error.ts';
import { isPolycastError, PolycastError } from './error.ts';

/** Schemas by event type, from any library that speaks Standard Schema: zod, valibot, arktype, … */
export type SchemaMap = Readonly<Record<string, StandardSchemaV1>>;

/** Event types and their data as handlers get it: what the schemas make of it. */
export type EventsOf<Schemas extends SchemaMap> = {
  [Type in keyof Schemas & string]: StandardSchemaV1.InferOutput<Schemas[Type]>;
};

/** Event types and their data as it is published: what the schemas take. */
export type InputsOf<Schemas extends SchemaMap> = {
  [Type in keyof Schemas & string]: StandardSchemaV1.InferInput<Schemas[Type]>;
};

/** Issues beyond this many are counted, not described. */
const MAX_DESCRIBED_ISSUES = 5;

/**
 * What a type's schema makes of data; the data itself if the type has no schema. A promise only if the schema is asynchronous.
 *
 * Publishers check and send what they were given, receivers check and hand on what the schema made of it: so a schema that
 * transforms (text to a date, defaults filled in) does so once, on the receiving side, and the wire carries its input.
 *
 * @throws PolycastError `schema-mismatch` (or rejects with it), naming the paths; `cause` holds the schema's issues. What the schema
 * itself throws is passed on
 * @param what what the data is, for messages
 */
export function validate(schemas: SchemaMap, type: string, data: unknown, what = type): unknown {
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema === undefined) return data;
  const result: unknown = schema['~standard'].validate(data);
  return isThenable(result)
    ? Promise.resolve(result).then((settled) => outputOf(what, settled))
    : outputOf(what, result);
}

/** Before it is sent, as given. Rejects with `schema-mismatch`, also for what a schema throws. */
export async function validateInput(schemas: SchemaMap, type: string, data: unknown, what = type): Promise<void> {
  try {
    await validate(schemas, type, data, what);
  } catch (thrown) {
    throw isPolycastError(thrown)
      ? thrown
      : new PolycastError('schema-mismatch', `${what}: its schema threw ${describeError(thrown)}`, { cause: thrown });
  }
}

/** Promises of other libraries and realms, too. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** @param option the option of `connect` that they are. @throws TypeError naming the type whose schema is not a schema */
export function checkSchemas(schemas: unknown, option = 'schemas'): SchemaMap {
  if (typeof schemas !== 'object' || schemas === null) throw new TypeError(`${option} must map event types to schemas`);
  for (const [type, schema] of Object.entries(schemas)) {
    const standard = (schema as Partial<StandardSchemaV1> | null | undefined)?.['~standard'];
    if (typeof standard?.validate !== 'function') {
      throw new TypeError(
        `${option}: the schema of ${JSON.stringify(type)} does not implement Standard Schema (https://standardschema.dev)`,
      );
    }
  }
  return schemas as SchemaMap;
}

/** A schema is not our code: its answer may be anything. */
function outputOf(what: string, result: unknown): unknown {
  if (typeof result !== 'object' || result === null) {
    throw new PolycastError(
      'schema-mismatch',
      `${what}: its schema returned ${describeError(result)}, which is not a validation result`,
    );
  }
  const { issues, value } = result as { issues?: unknown; value?: unknown };
  if (issues === undefined) return value;
  throw new PolycastError('schema-mismatch', `${what}: ${textOf(issues)}`, { cause: issues });
}

function textOf(issues: unknown): string {
  try {
    const all = issues as readonly StandardSchemaV1.Issue[];
    const described = all.slice(0, MAX_DESCRIBED_ISSUES).map((issue) => `data${pathOf(issue)}: ${issue.message}`);
    const more = all.length - described.length;
    return `${described.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
  } catch {
    return describeError(issues);
  }
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  return (issue.path ?? [])
    .map((segment) => {
      const key = typeof segment === 'object' ? segment.key : segment;
      if (typeof key === 'number') return `[${key}]`;
      return /^[A-Za-z_$][\w$]*$/.test(String(key)) ? `.${String(key)}` : `[${JSON.stringify(String(key))}]`;
    })
    .join('');
}
