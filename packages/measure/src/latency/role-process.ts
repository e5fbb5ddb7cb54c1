import { PolycastError } from '@polycast/core';
import type { LatencyDriver } from './driver.ts';
import { PublisherRole } from './publisher.ts';
import type { Answer, Call } from './role.ts';
import { SubscriberRole } from './subscriber.ts';

/** The program of a child process: one side of a measurement, called over the IPC channel. Arguments: side, driver module. */
const [side, driverModule] = process.argv.slice(2) as ['publisher' | 'subscriber', string];
const { driver } = (await import(driverModule)) as { driver: LatencyDriver };
const role = (side === 'publisher' ? new PublisherRole(driver) : new SubscriberRole(driver)) as unknown as Record<
  string,
  (argument: unknown) => Promise<unknown>
>;

// The parent decides when it is over, on Ctrl-C too; without a parent there is nothing left to do.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
process.on('message', ({ id, method, argument }: Call) => {
  const answer = (outcome: Omit<Answer, 'id'>) => process.send!({ id, ...outcome });
  role[method]!(argument).then(
    (result) => answer({ result }),
    (error: unknown) =>
      answer({
        error: {
          message: error instanceof Error ? error.message : String(error),
          ...(error instanceof PolycastError && { code: error.code }),
        },
      }),
  );
});
