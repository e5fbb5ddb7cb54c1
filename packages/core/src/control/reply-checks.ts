import { PolycastError } from '../contract/error.ts';
import { type SchemaMap, validate, validateInput } from '../contract/schema.ts';

/** Checks replies by the type of the request that they answer. Loaded where `connect` is given schemas for them. */
export class ReplyChecks {
  readonly #schemas: SchemaMap;
  readonly #refused: (error: PolycastError) => void;

  /** @param refused called for each reply that does not fit */
  constructor(schemas: SchemaMap, refused: (error: PolycastError) => void) {
    this.#schemas = schemas;
    this.#refused = refused;
  }

  /** Before it is sent. Rejects with `schema-mismatch`. */
  given(type: string, data: unknown): Promise<void> {
    return validateInput(this.#schemas, type, data, `the reply to ${type}`);
  }

  /** When it has come: `take` gets what the schema makes of it, or is not called. */
  received(type: string, data: unknown, take: (data: unknown) => void): void {
    const refused = (thrown: unknown) => this.#refused(PolycastError.from(thrown, 'schema-mismatch'));
    try {
      const result = validate(this.#schemas, type, data, `the reply to ${type}`);
      if (result instanceof Promise) result.then(take).catch(refused);
      else take(result);
    } catch (thrown) {
      refused(thrown);
    }
  }
}
