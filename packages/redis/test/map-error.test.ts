import { ERROR_CODES, PolycastError } from '@polycast/core/adapter';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapError } from '../src/map-error.ts';

const reply = (message: string, more: object = {}) =>
  Object.assign(new Error(message), { name: 'ReplyError', ...more });
const system = (code: string) => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });

describe('mapError', () => {
  it.each([
    [reply('WRONGPASS invalid username-password pair or user is disabled.'), 'unauthorized'],
    [reply('NOAUTH Authentication required.'), 'unauthorized'],
    [reply("NOPERM User x has no permissions to run the 'xadd' command"), 'unauthorized'],
    [
      reply("ERR The user executing the script can't run this command or subcommand script: e81, on @u:1."),
      'unauthorized',
    ],
    [reply("ERR The user executing the script can't publish to the channel mentioned in the command"), 'unauthorized'],
    [reply("ERR The user executing the script can't access at least one of the keys mentioned"), 'unauthorized'],
    [reply("ERR ACL failure in script: User x has no permissions to run the 'xadd' command"), 'unauthorized'],
    [
      reply('ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -NOPERM this user'),
      'unauthorized',
    ],
    [
      reply('ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -OOM command not'),
      'storage-full',
    ],
    [reply('ERR Error running script (call to f_1): @user_script:1: -READONLY You can not write'), 'disconnected'],
    [reply('ERR invalid username or password'), 'unauthorized'],
    [new Error('All sentinels are unreachable. Last error: WRONGPASS invalid username-password pair'), 'unauthorized'],
    [new Error('Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:1'), 'disconnected'],
    [
      reply('UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)'),
      'disconnected',
    ],
    [new Error('Ready check failed: NOAUTH Authentication required.'), 'unauthorized'],
    [reply("OOM command not allowed when used memory > 'maxmemory'."), 'storage-full'],
    [reply('MISCONF Redis is configured to save RDB snapshots'), 'storage-full'],
    [reply('LOADING Redis is loading the dataset in memory'), 'throttled'],
    [reply('BUSY Redis is busy running a script.'), 'throttled'],
    [reply('CLUSTERDOWN The cluster is down'), 'throttled'],
    [reply('TRYAGAIN Multiple keys request during rehashing of slot'), 'throttled'],
    [reply('ERR max number of clients reached'), 'throttled'],
    [reply("READONLY You can't write against a read only replica."), 'disconnected'],
    [reply("NOGROUP No such key 'k' or consumer group 'g'"), 'not-found'],
    [reply('ERR DB index is out of range'), 'invalid-configuration'],
    [reply("ERR unknown command 'SPUBLISH'"), 'unsupported'],
    [new Error('Connection is closed.'), 'disconnected'],
    [new Error('Reached the max retries per request limit (which is 0).'), 'disconnected'],
    [new Error('Command timed out'), 'timeout'],
    [new Error('Protocol error, got "H" as reply type byte. Please report this.'), 'protocol-mismatch'],
    [new Error('Unknown RESP type byte: "H"'), 'protocol-mismatch'],
    [system('ECONNRESET'), 'disconnected'],
    [system('EPROTO'), 'protocol-mismatch'],
    [system('DEPTH_ZERO_SELF_SIGNED_CERT'), 'protocol-mismatch'],
    [Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: reply('NOAUTH x') }), 'unauthorized'],
    [new AggregateError([system('ECONNREFUSED')], ''), 'disconnected'],
    [reply('WHATEVER nobody has met'), 'internal'],
    ['text', 'internal'],
    [null, 'internal'],
  ])('%s is %s', (thrown, code) => {
    expect(mapError(thrown).code).toBe(code);
  });

  it.each(['ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH'])('%s while opening is unreachable', (code) => {
    expect(mapError(system(code), 'open').code).toBe('unreachable');
  });

  it('keeps what is a PolycastError already', () => {
    const error = new PolycastError('closed', 'x');
    expect(mapError(error)).toBe(error);
  });

  it('drops the command that the driver attached, and secrets in addresses', () => {
    const error = mapError(
      reply('ERR at redis://user:hunter2@host password=hunter2', { command: { name: 'auth', args: ['hunter2'] } }),
    );
    const cause = error.cause as Error;
    expect(`${error.message} ${error.stack} ${JSON.stringify(cause)} ${cause.message} ${cause.stack}`).not.toContain(
      'hunter2',
    );
    expect(Object.keys(cause)).not.toContain('command');
  });

  it('is total', () => {
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom('open' as const, 'use' as const), (thrown, phase) => {
        expect(Object.keys(ERROR_CODES)).toContain(mapError(thrown, phase).code);
      }),
    );
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
      },
    );
    expect(mapError(hostile).code).toBe('internal');
  });
});
