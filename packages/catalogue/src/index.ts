/**
 * What is known of all transports, whichever is used: collected from the manifests of the adapters and from the `polycast` entry of their
 * package.json. Adapters and tools bring it to core, which names no transport itself.
 */
export { OFFERED_BY, SCHEMES } from './data.ts';
