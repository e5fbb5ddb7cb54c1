// Written by scripts/catalogue.mjs from the manifests of all adapters: run it after changing one.

/** For each capability of the contract, the transports that offer it, those that do so natively first. */
export const OFFERED_BY = {
  everyone: ['memory', 'redis', 'redis+streams', 'service-bus'],
  fanOut: ['memory', 'redis', 'redis+streams', 'service-bus'],
  role: ['memory', 'redis', 'redis+streams', 'service-bus'],
  instance: ['memory', 'redis', 'redis+streams', 'service-bus'],
  carbonCopy: ['service-bus', 'memory', 'redis', 'redis+streams'],
  groups: ['memory', 'redis+streams', 'service-bus'],
  settlement: ['redis+streams', 'service-bus', 'memory', 'redis'],
  redelivery: ['redis+streams', 'service-bus', 'memory', 'redis'],
  crashRedelivery: ['redis+streams', 'service-bus'],
  delayedRelease: ['memory', 'redis', 'redis+streams', 'service-bus'],
  deadLetter: ['service-bus', 'memory', 'redis', 'redis+streams'],
  lock: ['redis+streams', 'service-bus', 'memory'],
  durable: ['redis+streams', 'service-bus'],
  replay: ['redis+streams'],
  ttl: ['service-bus', 'memory', 'redis', 'redis+streams'],
  order: ['memory', 'redis', 'redis+streams', 'service-bus'],
  partitionKey: ['memory', 'service-bus', 'redis', 'redis+streams'],
  dedupe: ['memory', 'redis', 'redis+streams', 'service-bus'],
  gapDetection: ['redis', 'redis+streams', 'service-bus'],
  members: ['memory', 'redis', 'redis+streams', 'service-bus'],
  request: ['memory', 'redis', 'redis+streams', 'service-bus'],
  chunking: ['redis', 'redis+streams', 'service-bus'],
  binary: ['memory', 'service-bus', 'redis', 'redis+streams'],
  filterPushDown: ['redis', 'redis+streams', 'service-bus'],
  backPressure: ['memory', 'redis+streams', 'service-bus'],
  confirm: ['memory', 'redis', 'redis+streams', 'service-bus'],
  endpoint: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The schemes of transports, other names of them, and how connection strings begin, with the scheme that each stands for. */
export const SCHEMES = {
  transports: ['memory', 'redis', 'redis+streams', 'service-bus'],
  aliases: { rediss: 'redis' },
  connectionStrings: { 'Endpoint=sb:': 'service-bus' },
} as const;
