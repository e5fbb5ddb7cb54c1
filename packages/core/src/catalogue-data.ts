import type { CapabilityName } from './manifest.ts';

/** What one transport offers, taken from its manifest. */
export interface CatalogueEntry {
  /** URL scheme. */
  readonly transport: string;
  readonly native: readonly CapabilityName[];
  readonly emulated: readonly CapabilityName[];
}

// Written by scripts/catalogue.mjs from the manifests of all adapters: run it after changing one.
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    transport: 'memory',
    native: [
      'backPressure',
      'binary',
      'confirm',
      'everyone',
      'groups',
      'instance',
      'members',
      'order',
      'partitionKey',
      'role',
    ],
    emulated: [
      'carbonCopy',
      'deadLetter',
      'dedupe',
      'delayedRelease',
      'lock',
      'redelivery',
      'request',
      'settlement',
      'ttl',
    ],
  },
  {
    transport: 'redis',
    native: ['confirm', 'everyone', 'filterPushDown', 'instance', 'order', 'role'],
    emulated: [
      'binary',
      'carbonCopy',
      'chunking',
      'deadLetter',
      'dedupe',
      'delayedRelease',
      'gapDetection',
      'members',
      'partitionKey',
      'redelivery',
      'request',
      'settlement',
      'ttl',
    ],
  },
  {
    transport: 'redis+streams',
    native: [
      'backPressure',
      'confirm',
      'crashRedelivery',
      'durable',
      'everyone',
      'filterPushDown',
      'groups',
      'instance',
      'lock',
      'order',
      'redelivery',
      'replay',
      'role',
      'settlement',
    ],
    emulated: [
      'binary',
      'carbonCopy',
      'chunking',
      'deadLetter',
      'dedupe',
      'delayedRelease',
      'gapDetection',
      'members',
      'partitionKey',
      'request',
      'ttl',
    ],
  },
  {
    transport: 'service-bus',
    native: [
      'backPressure',
      'binary',
      'carbonCopy',
      'confirm',
      'crashRedelivery',
      'deadLetter',
      'dedupe',
      'durable',
      'everyone',
      'filterPushDown',
      'groups',
      'instance',
      'lock',
      'order',
      'partitionKey',
      'redelivery',
      'role',
      'settlement',
      'ttl',
    ],
    emulated: ['chunking', 'delayedRelease', 'gapDetection', 'members', 'request'],
  },
];
