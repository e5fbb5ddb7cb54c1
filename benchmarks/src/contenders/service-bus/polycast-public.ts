import type { LatencyDriver } from '@polycast/measure';
import { driver as beneath } from './polycast.ts';

/** Polycast with an SDK whose shape it does not know: through the public interface alone. */
export const driver: LatencyDriver = {
  openPublisher: (...args) => publicly(() => beneath.openPublisher(...args)),
  openSubscriber: (...args) => publicly(() => beneath.openSubscriber(...args)),
};

/** The adapter looks when the transport is made, which the drivers do before they wait for anything. */
function publicly<Result>(open: () => Result): Result {
  process.env.POLYCAST_SERVICE_BUS_SDK = 'public';
  try {
    return open();
  } finally {
    delete process.env.POLYCAST_SERVICE_BUS_SDK;
  }
}
