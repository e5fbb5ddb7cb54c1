type Listener = (...args: never[]) => unknown;
type Report = (thrown: unknown) => void;

export interface Emitter {
  emit(name: string | symbol, ...args: unknown[]): boolean;
  rawListeners(name: string | symbol): Listener[];
}

/**
 * From here on, what one listener of this emitter throws, or rejects with, keeps it neither from the other listeners nor reaches
 * whoever emits; and an `error` without a listener is no exception.
 */
export function guardEmitter(emitter: Emitter, report: Report): void {
  emitter.emit = (name, ...args) => callEach(emitter, emitter.rawListeners(name), args, report);
}

/** @returns was there a listener? */
export function callEach(self: object, listeners: readonly Listener[], args: unknown[], report: Report): boolean {
  for (const listener of listeners) {
    try {
      watch(Reflect.apply(listener, self, args as never[]), report);
    } catch (thrown) {
      report(thrown);
    }
  }
  return listeners.length > 0;
}

/** A callback that neither throws nor leaves a rejection behind. */
export function guarded(callback: Listener, report: Report): Listener {
  return function (this: unknown, ...args: never[]) {
    try {
      const result = Reflect.apply(callback, this, args);
      watch(result, report);
      return result;
    } catch (thrown) {
      report(thrown);
      return undefined;
    }
  };
}

function watch(result: unknown, report: Report): void {
  if (result instanceof Promise) result.catch(report);
}
