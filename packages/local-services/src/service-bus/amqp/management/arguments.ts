import { BrokerError } from '../../broker/error.ts';
import type { AmqpMap, AmqpValue } from '../../message/encoding/value.ts';
import { Uuid } from '../../rules/index.ts';

/** The body of a request, read by name and checked. Every method throws `com.microsoft:argument-error`. */
export class Arguments {
  readonly #map: AmqpMap;

  constructor(body: AmqpValue | undefined) {
    if (!(body instanceof Map)) bad('The body of the request is not a map');
    this.#map = body as AmqpMap;
  }

  /** Null is like missing. */
  get(name: string): Exclude<AmqpValue, null> | undefined {
    return this.#map.get(name) ?? undefined;
  }

  text(name: string): string {
    return this.optionalText(name) ?? bad(`${name} is missing`);
  }

  optionalText(name: string): string | undefined {
    const value = this.get(name);
    return value === undefined || typeof value === 'string' ? value : bad(`${name} is not a string`);
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.get(name);
    return value === undefined || typeof value === 'boolean' ? value : bad(`${name} is not a boolean`);
  }

  /** @param least the smallest that is allowed */
  integer(name: string, least: number): number {
    const value = this.get(name);
    if (typeof value !== 'bigint') return bad(`${name} is not an integer`);
    return Number(value) >= least ? Number(value) : outOfRange(`${name} is less than ${least}`);
  }

  /** Epoch ms. */
  time(name: string): number {
    const value = this.get(name);
    return value instanceof Date ? value.getTime() : bad(`${name} is not a timestamp`);
  }

  list(name: string): readonly AmqpValue[] {
    const value = this.get(name);
    return Array.isArray(value) ? value : bad(`${name} is not a list`);
  }

  map(name: string): AmqpMap {
    const value = this.get(name);
    return value instanceof Map ? value : bad(`${name} is not a map`);
  }

  /** Lock tokens in text. */
  uuids(name: string): readonly string[] {
    return this.list(name).map((item) =>
      item instanceof Uuid ? item.text : bad(`${name} contains an item that is not a uuid`),
    );
  }

  longs(name: string): readonly number[] {
    return this.list(name).map((item) =>
      typeof item === 'bigint' ? Number(item) : bad(`${name} contains an item that is not an integer`),
    );
  }
}

export function bad(message: string): never {
  throw new BrokerError('com.microsoft:argument-error', message);
}

function outOfRange(message: string): never {
  throw new BrokerError('com.microsoft:argument-out-of-range', message);
}
