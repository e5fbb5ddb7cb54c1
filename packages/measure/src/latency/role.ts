import { fork } from 'node:child_process';
import { type ErrorCode, PolycastError } from '@polycast/core';
import { builtFile } from './built-file.ts';

export interface Call {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly code?: ErrorCode };
}

type Methods = object;
type ArgumentOf<Method> = Method extends (argument: infer Argument) => unknown ? Argument : never;
type ResultOf<Method> = Method extends (...args: never[]) => Promise<infer Result> ? Result : never;

/** One side of a measurement, wherever it runs. */
export interface RoleCaller<Role extends Methods> {
  call<Name extends keyof Role & string>(method: Name, argument: ArgumentOf<Role[Name]>): Promise<ResultOf<Role[Name]>>;
  /** Closes it and ends its process. Never rejects. */
  stop(): Promise<void>;
}

interface Closable {
  close(): Promise<void>;
}

/** How long a process may take to close before it is killed. */
const CLOSE_TIMEOUT_MS = 15_000;

/** In this process. */
export function localRole<Role extends Methods & Closable>(role: Role): RoleCaller<Role> {
  const methods = role as unknown as Record<string, (argument: unknown) => Promise<unknown>>;
  return {
    call: (method, argument) => methods[method]!(argument) as never,
    stop: () => role.close().catch(() => {}),
  };
}

/** In a process of its own. Its output goes to our stderr: stdout may be a report. */
export function remoteRole<Role extends Methods & Closable>(
  side: 'publisher' | 'subscriber',
  driverModule: string,
): RoleCaller<Role> {
  const child = fork(builtFile('role-process'), [side, driverModule], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', process.stderr.fd, process.stderr.fd, 'ipc'],
  });
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: unknown): void }>();
  let nextId = 0;
  let exited = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      exited = true;
      const error = new PolycastError('internal', `the ${side} process ended early (${signal ?? `exit ${code}`})`);
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
      resolve();
    });
  });
  child.on('error', () => {});
  child.on('message', ({ id, result, error }: Answer) => {
    const caller = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) caller?.resolve(result);
    else caller?.reject(errorFrom(error));
  });
  const call = (method: string, argument: unknown) =>
    new Promise<never>((resolve, reject) => {
      if (exited) return reject(new PolycastError('internal', `the ${side} process is not running`));
      const id = nextId++;
      waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      child.send({ id, method, argument } satisfies Call);
    });
  return {
    call,
    async stop() {
      if (!exited) {
        const killer = setTimeout(() => child.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
        await call('close', undefined).catch(() => {});
        if (child.connected) child.disconnect();
        await ended;
        clearTimeout(killer);
      }
    },
  };
}

function errorFrom({ message, code }: NonNullable<Answer['error']>): Error {
  if (code === undefined) return new Error(message);
  // The constructor writes the code in front again.
  return new PolycastError(code, message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message);
}
