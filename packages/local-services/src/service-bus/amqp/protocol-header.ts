import type { Detection } from '../../listener/index.ts';

/** An AMQP protocol header: `AMQP`, protocol id, major, minor, revision (AMQP 1.0 §2.2). */
const AMQP_HEADER_BYTES = 8;
const AMQP = 'AMQP';
const AMQP_TLS_ID = 2;

/** By its first bytes: is a connection AMQP, and does it ask for TLS within AMQP (AMQP 1.0 §5.2.1)? */
export function detectAmqp(head: Buffer, secure: boolean): Detection {
  if (!AMQP.startsWith(head.toString('latin1', 0, AMQP.length))) return 'another-protocol';
  if (head.length <= AMQP.length) return 'undecided';
  if (head[AMQP.length] !== AMQP_TLS_ID || secure) return 'accepted';
  return head.length < AMQP_HEADER_BYTES ? 'undecided' : { startTlsAfter: AMQP_HEADER_BYTES };
}
