/** Longest description, in characters. */
const MAX_LENGTH = 8_192;

/**
 * What was thrown, in words: its `message`, else the value itself as text. For whatever user code or a driver throws, which may be an
 * object without a prototype, an error whose message is an object or throws when it is read, or a revoked proxy. Never throws.
 */
export function describeError(thrown: unknown): string {
  return (textOf(thrown) || 'unknown error').slice(0, MAX_LENGTH);
}

function textOf(thrown: unknown): string {
  try {
    if (typeof thrown !== 'object' || thrown === null) return String(thrown);
    const { message } = thrown as { message?: unknown };
    if (typeof message === 'string' && message !== '') return message;
    const text = JSON.stringify(message ?? thrown);
    if (text !== undefined && text !== '{}' && text !== '""') return text;
    return String((thrown as { name?: unknown }).name ?? thrown);
  } catch {
    return typeof thrown === 'object' ? 'an object that cannot be described' : typeof thrown;
  }
}

/** What was thrown, if it is an error whose `name`, `message` and `code` can be read, else a new error that describes it. Never throws. */
export function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && typeof thrown.message === 'string' && typeof thrown.name === 'string') {
      void (thrown as { code?: unknown }).code;
      return thrown;
    }
  } catch {
    // A revoked proxy, or a property that throws.
  }
  return new Error(describeError(thrown));
}
