/** What the harnesses of adapters are built with. For Node. */

export { buildTarget, localServices, type ServiceAccess, type TargetParts } from './build-target.ts';
export { Participants } from './participants.ts';
