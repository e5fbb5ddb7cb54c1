import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { WireServer } from '../wire/wire-run.ts';

/** The local service in a process of its own. Its `url` is what `connect` takes. */
export async function forkService(): Promise<WireServer & { stop(): void }> {
  const child = fork(new URL('./service-process.js', import.meta.url));
  const ended = new AbortController();
  child.once('exit', (code) => ended.abort(new Error(`the local service ended with ${code}`)));
  const answer = async <Answer>() => {
    const [value] = await once(child, 'message', { signal: ended.signal });
    return value as Answer;
  };
  const url = await answer<string>();
  return {
    url,
    cpuUs() {
      const answered = answer<number>();
      child.send('cpu');
      return answered;
    },
    stop: () => void child.kill(),
  };
}
