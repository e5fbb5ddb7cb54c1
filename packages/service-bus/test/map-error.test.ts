import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServiceBusAdministrationClient, ServiceBusError } from '@azure/service-bus';
import { ERROR_CODES, PolycastError } from '@polycast/core/adapter';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mapError, redactText } from '../src/map-error.ts';

/** As core-amqp translates a condition, and the SDK wraps it. */
const messaging = (code: string, message = 'something happened', more: object = {}) =>
  new ServiceBusError(
    Object.assign(new Error(message), { name: 'MessagingError', code, retryable: false, ...more }) as never,
  );
const system = (code: string) => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });
const condition = (name: string) => ({ condition: name, description: 'the service said so' });

describe('mapError', () => {
  it.each<[unknown, string]>([
    [messaging('MessagingEntityNotFoundError'), 'not-found'],
    [messaging('MessageLockLostError'), 'lock-lost'],
    [messaging('MessageNotFoundError'), 'not-found'],
    [messaging('MessageTooLargeError'), 'payload-too-large'],
    [messaging('MessagingEntityDisabledError'), 'throttled'],
    [messaging('QuotaExceededError'), 'storage-full'],
    [messaging('ServerBusyError'), 'throttled'],
    [messaging('OperationTimeoutError'), 'timeout'],
    [messaging('ServiceUnavailableError'), 'timeout'],
    [messaging('ServiceCommunicationError'), 'disconnected'],
    [messaging('SessionCannotBeLockedError'), 'lock-lost'],
    [messaging('SessionLockLostError'), 'lock-lost'],
    [messaging('UnauthorizedError', 'put-token: InvalidSignature. status-code: 401'), 'unauthorized'],
    [messaging('DetachForcedError'), 'disconnected'],
    [messaging('ConnectionForcedError'), 'disconnected'],
    [messaging('InsufficientCreditError'), 'throttled'],
    [messaging('ArgumentOutOfRangeError'), 'invalid-configuration'],
    [messaging('SenderNotReadyError'), 'disconnected'],
    [messaging('ECONNRESET'), 'disconnected'],
    [messaging('ENOTFOUND'), 'disconnected'],
    [messaging('SELF_SIGNED_CERT_IN_CHAIN'), 'protocol-mismatch'],
    [new ServiceBusError('The sender was closed', 'GeneralError'), 'disconnected'],
    [
      new ServiceBusError('Messages were too big to fit in a single batch.', 'MessageSizeExceeded'),
      'payload-too-large',
    ],
    [condition('amqp:unauthorized-access'), 'unauthorized'],
    [condition('amqp:not-found'), 'not-found'],
    [condition('amqp:resource-limit-exceeded'), 'storage-full'],
    [condition('amqp:link:message-size-exceeded'), 'payload-too-large'],
    [condition('com.microsoft:server-busy'), 'throttled'],
    [condition('com.microsoft:entity-disabled'), 'throttled'],
    [condition('com.microsoft:message-lock-lost'), 'lock-lost'],
    [condition('amqp:link:detach-forced'), 'disconnected'],
    [system('ECONNREFUSED'), 'disconnected'],
    [system('EPROTO'), 'protocol-mismatch'],
    [new AggregateError([system('ECONNRESET'), messaging('ServerBusyError')]), 'throttled'],
    [Object.assign(new Error('cut'), { name: 'AbortError' }), 'disconnected'],
    [Object.assign(new Error('no'), { name: 'CredentialUnavailableError' }), 'unauthorized'],
    [new Error('Invalid protocol header for AMQP: 485454502f312e31'), 'protocol-mismatch'],
    [new Error('whatever nobody has met'), 'internal'],
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

  it.each([
    ['The namespace ns is being throttled. Error code : 50009. Please wait 2 seconds and try again.', undefined, 2_000],
    ['Please wait 1 second.', undefined, 1_000],
    ['slow down', { get: (name: string) => (name === 'retry-after' ? '30' : undefined) }, 30_000],
    ['slow down', { get: () => 'Wed, 21 Oct 2026 07:28:00 GMT' }, undefined],
    ['slow down', { get: 5 }, undefined],
    ['wait 99999999999 seconds', undefined, undefined],
    ['slow down', undefined, undefined],
  ])('%s: how long to wait', (message, headers, retryAfterMs) => {
    const error = mapError(Object.assign(new Error(message), { code: 'ServiceBusy', response: { headers } }));
    expect(error.retryAfterMs).toBe(retryAfterMs);
  });

  it('drops keys, signatures and tokens', () => {
    for (const secret of [
      'SharedAccessKey=hunter2+/=',
      'SharedAccessSignature=SharedAccessSignature sr=sb%3a%2f%2fns&sig=hunter2&se=1&skn=x',
      'Authorization: SharedAccessSignature sr=x&sig=hunter2',
      'Authorization: Bearer hunter2',
      'amqps://name:hunter2@host',
      'the token eyJhbGciOiJIUzI1NiJ9.hunter2.hunter2 is no good',
    ]) {
      const error = mapError(
        Object.assign(new Error(`refused: ${secret} and so on`), { request: { headers: secret } }),
      );
      const cause = error.cause as Error;
      expect(`${error.message} ${error.stack} ${JSON.stringify(cause)} ${cause.message} ${cause.stack}`).not.toContain(
        'hunter2',
      );
    }
    expect(redactText('x'.repeat(10_000)).length).toBe(500);
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

describe('errors of the administration API', () => {
  let server: Server;
  let answer: { status: number; body: string };
  let client: ServiceBusAdministrationClient;

  beforeAll(async () => {
    server = createServer((_, response) =>
      response.writeHead(answer.status, { 'content-type': 'application/xml' }).end(answer.body),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    client = new ServiceBusAdministrationClient('Endpoint=sb://ns/;SharedAccessKeyName=n;SharedAccessKey=hunter2', {
      retryOptions: { maxRetries: 0 },
    });
    client.pipeline.addPolicy({
      name: 'here',
      sendRequest(request, next) {
        request.url = `http://127.0.0.1:${port}/`;
        request.allowInsecureConnection = true;
        return next(request);
      },
    });
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it.each([
    [400, 'SubCode=40000. The filter is too long', 'invalid-configuration'],
    [401, 'MalformedToken: the credentials', 'unauthorized'],
    [403, 'SubCode=40301. Manage claims are required', 'unauthorized'],
    [403, 'SubCode=40302. The namespace has reached its quota', 'storage-full'],
    [404, 'SubCode=40400. Not Found', 'not-found'],
    [409, 'SubCode=40901. Another conflicting operation is in progress', 'throttled'],
    [429, 'too many', 'throttled'],
    [500, 'oh no', 'disconnected'],
    [503, 'busy', 'throttled'],
  ])('%i %s is %s', async (status, detail, code) => {
    answer = { status, body: `<Error><Code>${status}</Code><Detail>${detail}</Detail></Error>` };
    const thrown = await client.getTopic('t').catch((error: unknown) => error);
    const error = mapError(thrown);
    expect(error.code).toBe(code);
    expect(`${error.message} ${JSON.stringify(error.cause)}`).not.toContain('sig=');
  });
});
