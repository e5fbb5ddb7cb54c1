/** What the service says of a time that never was. */
const NEVER = '0001-01-01T00:00:00Z';

export const formatTime = (ms: number): string => (ms > 0 ? new Date(ms).toISOString() : NEVER);

/** Atom's own times are whole seconds. */
export const formatSeconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
