import { ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import { RHEA_ENTRIES } from './guard.ts';
import { signerOf } from './signer.ts';

/** For tests and benchmarks: `public` has the SDK used by its public face alone. */
const VARIABLE = 'POLYCAST_SERVICE_BUS_SDK';
/** Never connected to. */
const NOWHERE = 'Endpoint=sb://nowhere.invalid/;SharedAccessKeyName=x;SharedAccessKey=x';

/** `a.b()` is a function, `a.b{}` an object. */
const CLIENT = [
  '_connectionContext.refreshConnection()',
  '_connectionContext.getReceiverFromCache()',
  '_connectionContext.messageReceivers{}',
  '_connectionContext.messageSessions{}',
  '_connectionContext.cbsSession.init()',
  '_connectionContext.cbsSession.negotiateClaim()',
  '_connectionContext.cbsSession.close()',
  '_connectionContext.connection.open()',
  '_connectionContext.connection.isOpen()',
  '_connectionContext.connection.createSession()',
  '_connectionContext.connection.emit()',
  '_connectionContext.connection.rawListeners()',
  '_connectionContext.connection._connection._disconnected()',
  '_connectionContext.connection._connection._context()',
  '_connectionContext.connection._connection.dispatch()',
  '_connectionContext.connection._connection.options{}',
  ...RHEA_ENTRIES.map((name) => `_connectionContext.connection._connection.${name}()`),
];
const RECEIVER = [
  '_context.getReceiverFromCache()',
  '_streamingReceiver._onAmqpMessage()',
  '_streamingReceiver.onDetached()',
  '_streamingReceiver._receiverHelper.isSuspended()',
  '_streamingReceiver._deliveryDispositionMap.set()',
];
const SENDER = ['_sender.sendBatch()'];

let difference: string | undefined | null = null;

/**
 * What the installed SDK has otherwise beneath its public face than the versions that this adapter knows; undefined if nothing. Looked at
 * once in a process, at an SDK client that connects to nothing.
 */
export function sdkDifference(): string | undefined {
  if (isPublicForced()) return `${VARIABLE} is set`;
  if (difference === null) difference = findDifference();
  return difference;
}

/** Somebody wants it so, and need not be told. */
export function isPublicForced(): boolean {
  return process.env[VARIABLE] === 'public';
}

function findDifference(): string | undefined {
  try {
    const client = new ServiceBusClient(NOWHERE);
    const receiver = client.createReceiver('nowhere', 'nowhere');
    const { signal } = new AbortController();
    try {
      const handlers = { processMessage: async () => {}, processError: async () => {} };
      const subscriber = receiver.subscribe(handlers, { autoCompleteMessages: false, abortSignal: signal });
      void subscriber.close().catch(() => {});
      return (
        lackIn(client, CLIENT) ??
        lackIn(receiver, RECEIVER) ??
        lackIn(client.createSender('nowhere'), SENDER) ??
        (signerOf(new ServiceBusAdministrationClient(NOWHERE)) === undefined ? 'credentials' : undefined)
      );
    } finally {
      void receiver.close().catch(() => {});
      void client.close().catch(() => {});
    }
  } catch (thrown) {
    return String((thrown as { message?: unknown } | null)?.message ?? thrown).slice(0, 100);
  }
}

/** The first of the paths that is not there. */
export function lackIn(root: object, paths: readonly string[]): string | undefined {
  return paths.find((path) => {
    const kind = path.endsWith('()') ? 'function' : 'object';
    let value: unknown = root;
    for (const name of path.slice(0, -2).split('.'))
      value = (value as Record<string, unknown> | undefined | null)?.[name];
    return value === null || typeof value !== kind;
  });
}
