export { BATCH_FORMAT, readBatch } from './batch.ts';
export type { MessageParts } from './build.ts';
export type { MessageContent } from './content.ts';
export { encodeForDelivery, type Handed, writeForDelivery } from './delivery.ts';
export { type BrokerProperties, Content } from './message.ts';
