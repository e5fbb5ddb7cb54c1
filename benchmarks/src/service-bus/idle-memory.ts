import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Heap bytes that one idle subscription costs its process. */
export async function idleBytes(which: 'polycast' | 'sdk', url: string, subscriptions: number): Promise<number> {
  const child = fork(new URL('./idle-process.js', import.meta.url), [which, url, String(subscriptions)], {
    execArgv: ['--expose-gc'],
  });
  const ended = new AbortController();
  child.once('exit', (code) => ended.abort(new Error(`${which}: ended with ${code}`)));
  const [bytes] = await once(child, 'message', { signal: ended.signal });
  return bytes as number;
}
