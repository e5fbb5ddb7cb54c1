import { PolycastError } from '@polycast/core';

/** What user code may throw. Each is as bad as a value can be. */
export const ODD_THROWN: readonly (() => unknown)[] = [
  () => new Error('an ordinary error'),
  () => undefined,
  () => null,
  () => Object.create(null),
  () => Object.assign(new Error('x'), { message: { toString: () => 'no string' } }),
  () => Symbol('thrown'),
  () => ({
    toString() {
      throw new Error('toString throws');
    },
  }),
  () =>
    new Proxy(new Error('x'), {
      get() {
        throw new Error('every property throws');
      },
      getPrototypeOf() {
        throw new Error('the prototype throws');
      },
    }),
  () =>
    Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('message throws');
      },
    }),
  () => Promise.reject(new Error('a rejected promise')).catch(() => {}),
  () => new PolycastError('timeout', 'a retryable error of ours'),
  () => '\u0000\ud800 a string with what no attribute may hold',
];

/** Index of something thrown that is final: not tried again. */
export const FINAL_THROWN = 100;

export function oddThrown(index: number | undefined): unknown {
  if (index === FINAL_THROWN) return new PolycastError('invalid-payload', 'a final error of ours');
  return (ODD_THROWN[(index ?? 0) % ODD_THROWN.length] as () => unknown)();
}

/** What a handler may return, with what comes of it. */
export const ODD_RETURNED: readonly { readonly outcome: 'accepted' | 'failed'; make(): unknown }[] = [
  { outcome: 'accepted', make: () => 42 },
  { outcome: 'accepted', make: () => Object.create(null) },
  {
    outcome: 'failed',
    make: () => ({
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      get then() {
        throw new Error('then throws when read');
      },
    }),
  },
  {
    outcome: 'failed',
    make: () => ({
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      then() {
        throw new Error('then throws when called');
      },
    }),
  },
  {
    outcome: 'accepted',
    make: () => ({
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      then(resolve: (value: unknown) => void) {
        resolve(1);
        resolve(2);
      },
    }),
  },
  {
    outcome: 'accepted',
    make: () => ({
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      then(resolve: (value: unknown) => void, reject: (reason: unknown) => void) {
        resolve(1);
        reject(new Error('afterwards'));
        throw new Error('afterwards');
      },
    }),
  },
  {
    outcome: 'failed',
    make: () => ({
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      then(_: unknown, reject: (reason: unknown) => void) {
        reject(Object.create(null));
      },
    }),
  },
];
