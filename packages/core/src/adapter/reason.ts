import type { PolycastError } from '../contract/error.ts';

/** What an error says, without the code that its message starts with: for one that goes on under another code. */
export function reasonOf({ code, message }: PolycastError): string {
  return message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
}
