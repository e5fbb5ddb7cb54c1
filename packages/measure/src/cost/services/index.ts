import type { ServiceModel } from '../model.ts';
import type { ServiceName } from '../workload.ts';
import { ably } from './ably.ts';
import { azureCacheForRedis, azureManagedRedis } from './azure-redis.ts';
import { eventGrid } from './event-grid.ts';
import { eventGridNamespaces } from './event-grid-namespaces.ts';
import { eventHubs } from './event-hubs.ts';
import { functions } from './functions.ts';
import { iotHub } from './iot-hub.ts';
import { notificationHubs } from './notification-hubs.ts';
import { pubnub } from './pubnub.ts';
import { pusher } from './pusher.ts';
import { serviceBus } from './service-bus.ts';
import { signalr } from './signalr.ts';
import { storageQueues } from './storage-queues.ts';
import { memory, redis, relay } from './unbilled.ts';
import { webPubSub } from './web-pubsub.ts';

/** Every service that can be priced, by name, in the order that tables show them. */
export const SERVICES: Readonly<Record<ServiceName, ServiceModel>> = {
  memory,
  redis,
  'azure-cache-for-redis': azureCacheForRedis,
  'azure-managed-redis': azureManagedRedis,
  'service-bus': serviceBus,
  signalr,
  'web-pubsub': webPubSub,
  'event-grid': eventGrid,
  'event-grid-namespaces': eventGridNamespaces,
  'event-hubs': eventHubs,
  'storage-queues': storageQueues,
  'iot-hub': iotHub,
  'notification-hubs': notificationHubs,
  relay,
  functions,
  ably,
  pusher,
  pubnub,
};
