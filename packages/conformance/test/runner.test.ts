import { expect, test } from 'vitest';
import {
  type CaseResult,
  type ConformanceCase,
  type ConformanceTarget,
  confirmedManifest,
  conforms,
  runConformance,
  withoutSecrets,
} from '../src/index.ts';
import { fakeTransport, manifest } from './fake-transport.ts';

const passing = async () => {};
const failing = async () => {
  throw new Error('broken');
};

function target(more: Partial<ConformanceTarget> = {}, of = manifest()): ConformanceTarget {
  return { name: 'fake', transport: () => fakeTransport(of), ...more };
}

function one(id: string, more: Partial<ConformanceCase> = {}): ConformanceCase {
  return { id, clause: 'publish.1', title: id, run: passing, ...more };
}

const run = (cases: readonly ConformanceCase[], of = target(), more = {}) =>
  runConformance(of, { cases, tryUnclaimed: false, ...more });

test('a case passes or fails, with the reason and the seed', async () => {
  const report = await run([one('a'), one('b', { run: failing })], target(), { seed: 7 });
  expect(report.cases.map(({ id, status }) => [id, status])).toEqual([
    ['a', 'passed'],
    ['b', 'failed'],
  ]);
  expect(report.cases[0]).not.toHaveProperty('reason');
  expect(report.cases[1]?.reason).toContain('broken');
  expect(report.cases[1]?.reason).toContain('seed 7');
  expect(report.summary).toEqual({ passed: 1, failed: 1, skipped: 0, notRun: 0 });
  expect(conforms(report)).toBe(false);
});

test('only the manifest skips, and says why', async () => {
  const of = target({}, manifest({ groups: 'none', ttl: 'emulated' }));
  const report = await run(
    [
      one('needs-groups', { requires: { capabilities: ['groups'] } }),
      one('needs-native-ttl', { requires: { native: ['ttl'] } }),
      one('refuses-groups', { requires: { absent: ['groups'] } }),
      one('refuses-ttl', { requires: { absent: ['ttl'] } }),
      one('at-most-once', { requires: { guarantee: 'at-most-once' } }),
    ],
    of,
  );
  expect(report.cases.map(({ id, status, reason }) => [id, status, reason])).toEqual([
    ['needs-groups', 'skipped', "capability 'groups' is none"],
    ['needs-native-ttl', 'skipped', "capability 'ttl' is emulated, not native"],
    ['refuses-groups', 'passed', undefined],
    ['refuses-ttl', 'skipped', "capability 'ttl' is emulated: there is nothing to refuse"],
    ['at-most-once', 'skipped', 'the guarantee is at-least-once'],
  ]);
  expect(conforms(report)).toBe(true);
});

test('what the harness cannot do is not run, never passed', async () => {
  const of = target({ withoutFaults: { cut: 'there is no connection' }, faults: { kill: passing } });
  const report = await run(
    [one('cut', { needs: ['cut'] }), one('kill', { needs: ['kill'] }), one('inject', { needs: ['inject'] })],
    of,
  );
  expect(report.cases.map(({ status, reason }) => [status, reason])).toEqual([
    ['not-run', 'there is no connection'],
    ['not-run', 'the harness of fake cannot kill the service and start it again'],
    ['not-run', 'the harness of fake cannot put messages of other software on a topic'],
  ]);
});

test('in process, what only a service can suffer is skipped, unless the harness can do it all the same', async () => {
  const of = target({ inject: passing }, manifest({}, { via: 'process' }));
  const report = await run(
    [
      one('cut', { needs: ['cut'] }),
      one('abandon', { needs: ['abandon'] }),
      one('inject', { needs: ['inject'] }),
      one('residue', { needs: ['residue'] }),
    ],
    of,
  );
  expect(report.cases.map(({ status, reason }) => [status, reason])).toEqual([
    ['skipped', 'the transport is in-process: not possible to cut connections'],
    ['skipped', 'the transport is in-process: not possible to disconnect one participant permanently'],
    ['passed', undefined],
    ['not-run', 'the harness of fake cannot list what remains on the service'],
  ]);
});

test('on a network without a service a stranger may write and a participant be cut off; nothing can be stopped', async () => {
  const needs = ['cut', 'abandon', 'inject', 'restart', 'throttle'] as const;
  const of = target({}, manifest({}, { via: 'network' }));
  const report = await run(
    needs.map((need) => one(need, { needs: [need] })),
    of,
  );
  expect(report.cases.map(({ status, reason }) => [status, reason])).toEqual([
    ['skipped', 'the transport has no service and no connection: not possible to cut connections'],
    ['not-run', 'the harness of fake cannot disconnect one participant permanently'],
    ['not-run', 'the harness of fake cannot put messages of other software on a topic'],
    ['skipped', 'the transport has no service and no connection: not possible to restart the service'],
    [
      'skipped',
      'the transport has no service and no connection: not possible to make the service ask the client to back off',
    ],
  ]);
});

test('a transport whose only receivers are groups is asked nothing that takes a subscription without one', async () => {
  const report = await run(
    [one('plain', {}), one('group', { requires: { groupsOnly: true, capabilities: ['groups'] } })],
    target({}, manifest({ fanOut: 'none' })),
  );
  expect(report.cases.map(({ status, reason }) => [status, reason])).toEqual([
    ['skipped', "capability 'fanOut' is none"],
    ['passed', undefined],
  ]);
});

test('a case that hangs fails when its time is up', async () => {
  const report = await run([one('hangs', { timeoutMs: 20, run: () => new Promise(() => {}) })]);
  expect(report.cases[0]).toMatchObject({ status: 'failed' });
  expect(report.cases[0]?.reason).toContain('still pending after 20 ms');
});

test('what a case broke is mended, even when it fails', async () => {
  const deeds: string[] = [];
  const deed = (name: string) => async () => {
    deeds.push(name);
  };
  const faults = { kill: deed('kill'), start: deed('start'), freeze: deed('freeze'), thaw: deed('thaw') };
  const report = await run(
    [
      one('breaks', {
        needs: ['kill', 'freeze'],
        async run(c) {
          await c.faults.freeze();
          await c.faults.kill();
          throw new Error('left in ruins');
        },
      }),
    ],
    target({ faults }),
  );
  expect(report.summary.failed).toBe(1);
  expect(deeds).toEqual(['freeze', 'kill', 'thaw', 'start']);
});

test('cases that break the service run alone', async () => {
  let running = 0;
  const together: string[] = [];
  const watch = (id: string, more: Partial<ConformanceCase> = {}) =>
    one(id, {
      ...more,
      async run() {
        running++;
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (running > 1) together.push(id);
        running--;
      },
    });
  await run(
    [watch('cut', { needs: ['cut'] }), watch('a'), watch('b'), watch('c', { alone: true }), watch('d')],
    target({ faults: { cut: passing } }),
  );
  expect(together).toEqual(expect.arrayContaining(['a']));
  expect(together).not.toContain('cut');
  expect(together).not.toContain('c');
});

test('progress is told as cases end', async () => {
  const told: [string, number, number][] = [];
  await run([one('a'), one('b')], target(), {
    onCase: (result: CaseResult, { done, total }: { done: number; total: number }) =>
      told.push([result.id, done, total]),
  });
  expect(told).toEqual([
    ['a', 1, 2],
    ['b', 2, 2],
  ]);
});

test('an ended run reports what it did not do', async () => {
  const report = await run([one('a')], target(), { abortSignal: AbortSignal.abort() });
  expect(report.cases[0]).toMatchObject({ status: 'not-run', reason: 'the run was ended before it' });
});

test('a run of the same seed gives cases the same random numbers', async () => {
  const seen: number[] = [];
  const cases = [one('random', { run: async ({ random }) => void seen.push(random(), random()) })];
  await run(cases, target(), { seed: 5 });
  await run(cases, target(), { seed: 5 });
  await run(cases, target(), { seed: 6 });
  expect(seen.slice(0, 2)).toEqual(seen.slice(2, 4));
  expect(seen.slice(4)).not.toEqual(seen.slice(0, 2));
});

test('claiming what fails is found, and taken back in the manifest', async () => {
  const of = target({}, manifest({ groups: 'native', ttl: 'native' }));
  const report = await run(
    [
      one('groups-fail', { clause: 'groups.1', requires: { capabilities: ['groups'] }, run: failing }),
      one('ttl-works', { clause: 'ttl.1', requires: { capabilities: ['ttl'] } }),
      one('ttl-not-native', { clause: 'ttl.8', requires: { native: ['ttl'] }, run: failing }),
    ],
    of,
  );
  const found = report.findings.filter(({ kind }) => kind === 'claims-too-much');
  expect(found.map(({ capability, claimed, confirmed }) => [capability, claimed, confirmed])).toEqual([
    ['groups', 'native', 'none'],
    ['ttl', 'native', 'emulated'],
  ]);
  expect(report.manifest.capabilities.groups.level).toBe('none');
  expect(report.manifest.capabilities.ttl.level).toBe('emulated');
  expect(report.claimed.capabilities.groups.level).toBe('native');
  expect(confirmedManifest(report)).toEqual(report.manifest);
});

test('claims that no case could check are unconfirmed, and the manifest says so', async () => {
  const report = await run([one('a', { clause: 'ttl.1', requires: { capabilities: ['ttl'] } })]);
  expect(report.findings.find(({ capability }) => capability === 'durable')).toMatchObject({ kind: 'unconfirmed' });
  expect(report.manifest.capabilities.durable.note).toContain('Not confirmed');
  expect(report.manifest.capabilities.ttl.note).toBeUndefined();
});

test('denying what works is found', async () => {
  const of = target({}, manifest({ groups: 'none', ttl: 'none' }));
  const report = await run(
    [
      one('groups-work', { clause: 'groups.1', requires: { capabilities: ['groups'] } }),
      one('ttl-fails', { clause: 'ttl.1', requires: { capabilities: ['ttl'] }, run: failing }),
    ],
    of,
    { tryUnclaimed: true },
  );
  expect(
    report.findings.filter(({ kind }) => kind === 'claims-too-little').map(({ capability }) => capability),
  ).toEqual(['groups']);
  expect(report.manifest.capabilities.groups.level).toBe('none');
});

test('secrets do not get into the report', async () => {
  const report = await run([], target({ url: 'redis://admin:hunter2@db.example:6379/0?password=x&topic=y' }));
  expect(report.url).toBe('redis://admin:***@db.example:6379/0?password=***&topic=y');
  expect(withoutSecrets('Endpoint=sb://x;SharedAccessKeyName=a;SharedAccessKey=abc=')).not.toContain('abc');
});
