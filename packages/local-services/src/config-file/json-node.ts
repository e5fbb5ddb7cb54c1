import { parseDuration } from '../time/duration.ts';
import { ConfigFileError } from './error.ts';
import { suggestion } from './nearest.ts';

/** A value and its place, which every complaint begins with: `UserConfig.Namespaces[0].Queues[1].Name`. */
export class JsonNode {
  readonly value: unknown;
  readonly path: string;

  constructor(value: unknown, path: string) {
    this.value = value;
    this.path = path;
  }

  fault(message: string): ConfigFileError {
    return new ConfigFileError(`${this.path === '' ? 'the file' : this.path}: ${message}`);
  }

  /** Its members, all of which must be known. */
  members(known: readonly string[]): ReadonlyMap<string, JsonNode> {
    const members = this.anyMembers();
    for (const [name, node] of members) {
      if (!known.includes(name)) throw node.fault(`unknown name${suggestion(name, known)}`);
    }
    return members;
  }

  anyMembers(): ReadonlyMap<string, JsonNode> {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#notA('an object');
    const entries = Object.entries(value);
    return new Map(entries.map(([name, member]) => [name, new JsonNode(member, this.#below(name))]));
  }

  items(): readonly JsonNode[] {
    if (!Array.isArray(this.value)) throw this.#notA('a list');
    return this.value.map((item, at) => new JsonNode(item, `${this.path}[${at}]`));
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.#notA('a string');
    return this.value;
  }

  flag(): boolean {
    if (typeof this.value !== 'boolean') throw this.#notA('true or false');
    return this.value;
  }

  whole(min: number): number {
    if (!Number.isSafeInteger(this.value) || (this.value as number) < min) {
      throw this.#notA(`a whole number of at least ${min}`);
    }
    return this.value as number;
  }

  oneOf<Choice extends string>(choices: readonly Choice[]): Choice {
    const text = this.text();
    if (choices.includes(text as Choice)) return text as Choice;
    throw this.fault(`${JSON.stringify(text)} is not an allowed value${suggestion(text, choices)}`);
  }

  durationMs(): number {
    const ms = typeof this.value === 'string' ? parseDuration(this.value) : undefined;
    if (ms === undefined) throw this.#notA('an ISO 8601 duration such as "PT1M"');
    return ms;
  }

  #below(name: string): string {
    if (!/^[\w$-]+$/.test(name)) return `${this.path}[${JSON.stringify(name)}]`;
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  #notA(wanted: string): ConfigFileError {
    const text = JSON.stringify(this.value) ?? String(this.value);
    return this.fault(`must be ${wanted}, not ${text.length > 60 ? `${text.slice(0, 57)}…` : text}`);
  }
}
