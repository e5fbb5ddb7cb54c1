import { randomUUID } from 'node:crypto';
import type { Reply } from '../../../http/index.ts';
import { badRequest, HttpError } from '../../../http/index.ts';
import { Content } from '../../message/index.ts';
import type { Call } from '../call.ts';
import { BATCH_TYPE, readBatchBody } from './batch.ts';
import { readBrokerProperties, type SentProperties } from './broker-properties.ts';
import { orGone } from './endpoint.ts';
import { readUserProperties } from './user-properties.ts';

/** What JSON may add to the messages of a batch: escapes and names. */
const BATCH_OVERHEAD = 2;

/** One message, or a batch of them. */
export async function sendMessages(call: Call, path: string): Promise<Reply> {
  await call.authorize(
    'send',
    `Unauthorized access. 'Send' claim(s) are required to perform this operation. Resource: 'sb://${call.context.host}/${path}'.`,
  );
  const target = orGone(call, path, () => call.broker.target(path));
  const maxBytes = Math.min(target.maxMessageBytes, call.broker.limits.maxBatchBytes);
  const tooLarge = `A message sent over HTTP has no more than ${maxBytes} bytes.`;
  const contentType = call.request.headers['content-type'] || undefined;
  const isBatch = contentType?.trim().toLowerCase() === BATCH_TYPE;
  const body = await call.request.body(isBatch ? maxBytes * BATCH_OVERHEAD : maxBytes, 403, tooLarge);
  const contents = isBatch ? readBatchBody(body, identify) : [single(call, contentType, body)];
  const size = contents.reduce((sum, content) => sum + content.size, 0);
  if (size > maxBytes) throw new HttpError(403, tooLarge);
  orGone(call, path, () => target.send(contents));
  return { status: 201, headers: contentType === undefined ? {} : { 'Content-Type': contentType } };
}

function single(call: Call, contentType: string | undefined, body: Buffer): Content {
  const header = call.request.headers.brokerproperties;
  let properties: unknown;
  try {
    properties = header === undefined ? undefined : JSON.parse(String(header));
  } catch {
    throw badRequest('The BrokerProperties header is not JSON.');
  }
  return Content.build({
    ...identify(readBrokerProperties(properties)),
    ...(contentType === undefined ? {} : { contentType }),
    applicationProperties: readUserProperties(call.request.incoming.rawHeaders),
    body,
  });
}

/** The service gives an id to every message that comes over HTTP without one. */
function identify(properties: SentProperties): SentProperties {
  return properties.messageId === undefined
    ? { ...properties, messageId: randomUUID().replaceAll('-', '') }
    : properties;
}
