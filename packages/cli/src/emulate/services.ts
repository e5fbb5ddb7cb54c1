import { PolycastError } from '@polycast/core';
import { nearest } from '@polycast/core/configuration';
import type { EmulatedService } from './service.ts';

/** The local services, each loaded when it is asked for. */
const SERVICES: Readonly<Record<string, () => Promise<{ readonly default: EmulatedService }>>> = {
  'service-bus': () => import('./service-bus.ts'),
};

export const SERVICE_NAMES: readonly string[] = Object.keys(SERVICES);

/** @throws PolycastError `invalid-configuration` with the nearest name, and all there are */
export async function findService(name: string): Promise<EmulatedService> {
  const load = Object.hasOwn(SERVICES, name) ? SERVICES[name] : undefined;
  if (load !== undefined) return (await load()).default;
  const near = nearest(name, SERVICE_NAMES)[0];
  const hint = near === undefined ? '' : ` (did you mean "${near}"?)`;
  const all = `; available: ${SERVICE_NAMES.join(', ')}`;
  throw new PolycastError('invalid-configuration', `unknown local service "${name}"${hint}${all}`);
}
