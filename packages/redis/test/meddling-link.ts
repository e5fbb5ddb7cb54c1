import { type Way, wayTo } from './way.ts';

export interface MeddlingLink extends Way {
  /**
   * Called with each command, in upper case. A returned script is executed in its place: the server itself answers, in turn.
   */
  meddle: ((name: string) => string | undefined) | undefined;
}

/** Lua that answers with an error. */
export const failing = (message: string) => `return redis.error_reply('${message}')`;

/** A way to a server on 127.0.0.1 on which some commands are answered as the server would in a state that is hard to bring about. */
export async function meddlingLink(port: number): Promise<MeddlingLink> {
  const way = await wayTo(port, (near, far) => {
    far.on('data', (bytes) => near.write(bytes));
    let unread = '';
    near.on('data', (bytes) => {
      unread += bytes.toString('latin1');
      for (let command = firstOf(unread); command !== undefined; command = firstOf(unread)) {
        unread = unread.slice(command.length);
        const name = /^\*\d+\r\n\$\d+\r\n([^\r]*)/.exec(command)?.[1]?.toUpperCase() ?? '';
        const script = link.meddle?.(name);
        far.write(script === undefined ? command : encoded(['EVAL', script, '0']), 'latin1');
      }
    });
  });
  const link: MeddlingLink = { ...way, meddle: undefined };
  return link;
}

/** The first whole command of what a client sent: a RESP array of bulk strings. */
function firstOf(text: string): string | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  let at = head[0].length;
  for (let left = Number(head[1]); left > 0; left--) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (size === null) return undefined;
    at += size[0].length + Number(size[1]) + 2;
  }
  return at <= text.length ? text.slice(0, at) : undefined;
}

function encoded(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}
