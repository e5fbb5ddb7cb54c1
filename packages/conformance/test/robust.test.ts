import { memory } from '@polycast/memory';
import { expect, test } from 'vitest';
import { CASES, type ConformanceCase, type ConformanceTarget, runConformance } from '../src/index.ts';
import { interfere } from '../src/interfere.ts';
import { pass } from '../src/wait.ts';
import { fakeTransport, manifest } from './fake-transport.ts';

const fake: ConformanceTarget = { name: 'fake', transport: () => fakeTransport(manifest()) };
const one = (id: string, run: ConformanceCase['run']): ConformanceCase => ({ id, clause: 'publish.1', title: id, run });
const run = (cases: readonly ConformanceCase[], of = fake, more = {}) =>
  runConformance(of, { cases, tryUnclaimed: false, ...more });
const outcomes = ({ cases }: Awaited<ReturnType<typeof run>>) =>
  Object.fromEntries(
    cases.map(({ id, status, reason }) => [id, reason === undefined ? status : `${status}: ${reason}`]),
  );

test('what is thrown in a timer, a microtask or a lost promise fails the case that caused it, and no other', async () => {
  const report = await run([
    one('timer', async () => {
      setTimeout(() => {
        throw new TypeError('from a timer');
      }, 1);
      await pass(20);
    }),
    one('promise', async () => void Promise.reject(new Error('from a promise'))),
    one('async', async () => {
      void (async () => {
        await pass(1);
        throw Object.create(null);
      })();
      await pass(20);
    }),
    one('exit', async () => {
      setTimeout(() => process.exit(7), 1);
      await pass(20);
    }),
    one('fine', () => pass(30)),
  ]);
  expect(outcomes(report)).toEqual({
    timer: expect.stringMatching(/^failed.*thrown where no caller could catch it: TypeError: from a timer/),
    promise: expect.stringMatching(/^failed.*from a promise/),
    async: expect.stringMatching(/^failed.*thrown where no caller could catch it/),
    exit: expect.stringMatching(/^failed.*process\.exit\(7\) was called/),
    fine: 'passed',
  });
});

test('what a case leaves behind is its fault, also after it passed', async () => {
  const report = await run(
    [
      one('leaves', async () => {
        setTimeout(() => {
          throw new Error('late');
        }, 30);
      }),
      one('later', () => pass(100)),
    ],
    fake,
    { concurrency: 1 },
  );
  expect(outcomes(report)).toEqual({
    leaves: expect.stringMatching(/^failed: after it had passed: .*late/),
    later: 'passed',
  });
  expect(report.summary).toMatchObject({ passed: 1, failed: 1 });
});

test('the listeners of the process are as before afterwards', async () => {
  const before = process.listeners('uncaughtException');
  await run([one('a', async () => {})]);
  expect(process.listeners('uncaughtException')).toEqual(before);
});

test('a case whose own promises reject while it fails ends as that failure', async () => {
  const report = await run(
    CASES.filter(({ id }) => id === 'lifecycle/nothing-after-close'),
    {
      name: 'memory',
      transport: () =>
        interfere(memory({ hub: 'robust' }), {
          // Nothing arrives, and soon nothing can be published.
          deliver: () => true,
          publish: async () => {
            throw new Error('gone');
          },
        }),
    },
    { patienceMs: 100 },
  );
  expect(report.cases).toMatchObject([{ status: 'failed' }]);
  expect(report.cases[0]?.reason).not.toContain('no caller could catch');
});

test('values that cannot be shown are shown as such', async () => {
  const hostile = Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('no message');
    },
  });
  const report = await run([
    one('null-prototype', async () => {
      throw Object.create(null);
    }),
    one('getter', async () => {
      throw hostile;
    }),
  ]);
  expect(report.cases.map(({ status }) => status)).toEqual(['failed', 'failed']);
});

test('a manifest that lacks a capability fails the cases about it, not the run', async () => {
  const whole = manifest();
  const { groups: _, ...capabilities } = whole.capabilities;
  const broken = { ...whole, capabilities: capabilities as typeof whole.capabilities };
  const report = await run(
    [{ ...one('groups', async () => {}), requires: { capabilities: ['groups'] } }, one('other', async () => {})],
    { name: 'fake', transport: () => fakeTransport(broken) },
    { tryUnclaimed: true },
  );
  expect(report.cases.map(({ status }) => status)).toEqual(['failed', 'passed']);
});

test('a fault that cannot be ended fails the case, and its participants are closed all the same', async () => {
  const report = await run(
    [
      {
        ...one('breaks', async (c) => {
          await c.faults.kill();
        }),
        needs: ['kill'],
      },
    ],
    {
      ...fake,
      faults: {
        kill: async () => {},
        async start() {
          throw new Error('it does not start');
        },
      },
    },
  );
  expect(report.cases[0]?.reason).toContain('the fault could not be ended: Error: it does not start');
});

test('signals are shown beside the case that failed while they came', async () => {
  const report = await run(
    [
      one('unlucky', async (c) => {
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('kitchen'));
        await desk.publish({ type: 'order', data: 1 });
        await inbox.until(1);
      }),
    ],
    {
      name: 'memory',
      transport: () =>
        interfere(memory({ hub: 'signals' }), {
          subscribe: (request, sink, next) =>
            next(request, {
              get capacity() {
                return sink.capacity;
              },
              ready: () => sink.ready(),
              deliver() {
                for (let time = 0; time < 3; time++) {
                  sink.corrupt(new (class extends TypeError {})('x is not a function') as never);
                }
                return true;
              },
              signal: (signal) => sink.signal(signal),
              corrupt: (error) => sink.corrupt(error),
              failed: (error) => sink.failed(error),
            }),
        }),
    },
    { patienceMs: 100 },
  );
  expect(report.cases[0]).toMatchObject({
    status: 'failed',
    signals: [expect.stringMatching(/^corrupt: .*x is not a function.*\(\d times\)$/)],
  });
});
