import { badRequest } from '../../../http/index.ts';
import { Content } from '../../message/index.ts';
import { readBrokerProperties, type SentProperties } from './broker-properties.ts';
import { readJsonProperties } from './user-properties.ts';

/** The content type that makes a body a batch: this and no parameters. */
export const BATCH_TYPE = 'application/vnd.microsoft.servicebus.json';

/** Messages in one batch, at most. */
const MAX_BATCH = 10_000;

/** Reads a JSON array of messages. @throws HttpError 400, naming the message */
export function readBatchBody(body: Buffer, identify: (properties: SentProperties) => SentProperties): Content[] {
  let items: unknown;
  try {
    items = JSON.parse(body.toString('utf8'));
  } catch {
    throw badRequest('The batch is not JSON.');
  }
  if (!Array.isArray(items) || items.length === 0) throw badRequest('The batch is not an array of messages.');
  if (items.length > MAX_BATCH) throw badRequest(`The batch has more than ${MAX_BATCH} messages.`);
  return items.map((item: unknown, index) => {
    const wrong = (what: string) => badRequest(`Message ${index} of the batch: ${what}.`);
    if (typeof item !== 'object' || item === null || Array.isArray(item)) throw wrong('it is not an object');
    const { Body, IsBodyBase64, BrokerProperties, UserProperties } = item as Readonly<Record<string, unknown>>;
    if (typeof Body !== 'string') throw wrong("'Body' is not a string");
    if (IsBodyBase64 !== undefined && typeof IsBodyBase64 !== 'boolean')
      throw wrong("'IsBodyBase64' is not true or false");
    const applicationProperties = readJsonProperties(UserProperties);
    if (applicationProperties === undefined) throw wrong("'UserProperties' is not an object of simple values");
    return Content.build({
      ...identify(readBrokerProperties(BrokerProperties)),
      applicationProperties,
      body: Buffer.from(Body, IsBodyBase64 === true ? 'base64' : 'utf8'),
    });
  });
}
