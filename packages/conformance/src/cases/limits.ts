import { type Broadcaster, CAPABILITIES, type CapabilityName, PolycastError } from '@polycast/core';
import { check, refused, same, sameSet, showError } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import { Gate, later } from '../wait.ts';

/** How a user asks for a capability. Those left out cannot be asked for: they are there or not. */
const QUESTIONS: Partial<Readonly<Record<CapabilityName, (one: Broadcaster, c: CaseContext) => unknown>>> = {
  everyone: (one) => one.publish({ type: 'order' }, { to: '*' }),
  role: (one) => one.publish({ type: 'order' }, { to: 'role:kitchen' }),
  instance: (one) => one.publish({ type: 'order' }, { to: 'instance:kitchen-1' }),
  carbonCopy: (one) => one.publish({ type: 'order' }, { carbonCopy: true }),
  fanOut: (one) => one.subscribe(() => {}),
  groups: (one) => one.subscribe(() => {}, { group: 'g' }),
  durable: (one) => one.subscribe(() => {}, { durable: true }),
  replay: (one) => one.subscribe(() => {}, { startFrom: 'earliest' }),
  partitionKey: (one) => one.publish({ type: 'order' }, { partitionKey: 'k' }),
  ttl: (one) => one.publish({ type: 'order' }, { ttlMs: 1_000 }),
  binary: (one) => one.publish({ type: 'order', data: new Uint8Array([1]) }),
  members: (one) => one.members({ timeoutMs: 100 }),
  request: (one) => one.request({ type: 'question' }, { timeoutMs: 100 }),
  endpoint: (one) => one.endpoint(new Request('http://polycast.test/')),
};

const LEVELS = ['native', 'emulated', 'none'];

export const limitCases: readonly ConformanceCase[] = [
  {
    id: 'limits/manifest',
    clause: 'limits.1',
    title: 'the manifest is complete and valid',
    requires: { groupsOnly: true },
    async run(c) {
      const { manifest } = c;
      sameSet(Object.keys(manifest.capabilities), Object.keys(CAPABILITIES), 'capabilities named');
      for (const [name, { level, numbers, steps }] of Object.entries(manifest.capabilities)) {
        check(LEVELS.includes(level), `capability '${name}' is '${level}'`);
        for (const [unit, value] of Object.entries(numbers ?? {})) {
          check(typeof value === 'number' && value >= 0, `capability '${name}': ${unit} is ${String(value)}`);
        }
        for (const [unit, values] of Object.entries(steps ?? {})) {
          check(
            values.length > 0 && values.every((one, at) => one >= 0 && (at === 0 || one > values[at - 1]!)),
            `capability '${name}': the steps of ${unit} are ${values.join(', ')}`,
          );
        }
      }
      for (const [name, value] of Object.entries(manifest.limits)) check(value > 0, `limit ${name} is ${value}`);
      check(manifest.transport.length > 0 && manifest.title.length > 0, 'transport or title is empty');
      check(['at-most-once', 'at-least-once'].includes(manifest.guarantee), `guarantee is '${manifest.guarantee}'`);
      same(new Set(manifest.billedUnits).size, manifest.billedUnits.length, 'different billed units');
    },
  },
  {
    id: 'limits/levels-agree',
    clause: 'limits.1',
    title: 'dependent capabilities are consistent',
    requires: { groupsOnly: true },
    async run(c) {
      const level = (name: CapabilityName) => c.manifest.capabilities[name].level;
      const implies: readonly (readonly [CapabilityName, CapabilityName])[] = [
        ['redelivery', 'settlement'],
        ['deadLetter', 'settlement'],
        ['delayedRelease', 'redelivery'],
        ['crashRedelivery', 'redelivery'],
        ['lock', 'groups'],
        ['request', 'instance'],
        ...(level('members') === 'emulated' ? ([['members', 'fanOut']] as const) : []),
      ];
      for (const [one, other] of implies) {
        check(level(one) === 'none' || level(other) !== 'none', `'${one}' is ${level(one)} but '${other}' is none`);
      }
    },
  },
  ...(Object.keys(QUESTIONS) as CapabilityName[]).map(
    (capability): ConformanceCase => ({
      id: `limits/unsupported-${capability}`,
      clause: 'limits.2',
      title: `using '${capability}' where its level is none is rejected`,
      requires: { absent: [capability], groupsOnly: true },
      async run(c) {
        const desk = await c.join('desk');
        const error = await c.within(
          refused(() => QUESTIONS[capability]!(desk, c), ['unsupported'], `asking for ${capability}`),
          'the refusal',
        );
        check(
          error.message.toLowerCase().includes(capability.toLowerCase()),
          `the message names nothing: ${error.message}`,
        );
      },
    }),
  ),
  {
    id: 'limits/shows',
    clause: 'limits.3',
    title: 'manifest, topic and self can be read',
    requires: { groupsOnly: true },
    async run(c) {
      const desk = await c.join({ role: 'desk', instance: 'd1', deployment: 'blue' });
      same(desk.topic, c.topic, 'topic');
      same({ ...desk.self }, { role: 'desk', instance: 'd1', deployment: 'blue' }, 'self');
      same(desk.manifest.transport, c.manifest.transport, 'transport');
      same(desk.manifest.capabilities, c.manifest.capabilities, 'capabilities');
    },
  },
  {
    id: 'limits/endpoint',
    clause: 'limits.10',
    title: 'the endpoint answers any request or rejects with a coded error',
    requires: { capabilities: ['endpoint'], groupsOnly: true },
    async run(c) {
      const desk = await c.join('desk');
      const requests = [
        new Request('http://polycast.test/'),
        ...['', '{', '[]', 'null', '{"id":1}', '\u0000'].flatMap((body) => [
          new Request('http://polycast.test/', { method: 'POST', body }),
          new Request('http://polycast.test/', {
            method: 'POST',
            body,
            headers: { 'content-type': 'application/json' },
          }),
        ]),
      ];
      for (const request of requests) {
        const answered = desk.endpoint(request).then(
          (response) => check(response instanceof Response, 'the answer is not a Response'),
          // Whatever is wrong with a request has a code of its own.
          (thrown: unknown) =>
            check(
              thrown instanceof PolycastError && thrown.code !== 'internal',
              `it rejected with ${showError(thrown)}`,
            ),
        );
        await c.within(answered, `${request.method} ${request.url}`);
      }
    },
  },
  {
    id: 'limits/metering',
    clause: 'limits.4',
    title: 'only declared units are counted, and at least one is',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      for (let n = 0; n < 10; n++) await desk.publish({ type: 'order', data: n });
      await inbox.until(10);
      const units = new Set([...Object.keys(desk.metered), ...Object.keys(inbox.owner.metered)]);
      same(
        [...units].filter((unit) => !c.manifest.billedUnits.includes(unit)),
        [],
        'units that are not declared',
      );
      const total = [...Object.values(desk.metered), ...Object.values(inbox.owner.metered)].reduce(
        (sum, n) => sum + n,
        0,
      );
      check(c.manifest.billedUnits.length === 0 || total > 0, 'units are declared and nothing was counted');
    },
  },
  {
    id: 'limits/metering-below',
    clause: 'limits.4',
    title: 'below core: an adapter meters only declared units',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.joinBelow('desk');
      const kitchen = await c.joinBelow('kitchen');
      const inbox = await kitchen.subscribe();
      await desk.publish([1, 2, 3]);
      await inbox.until(3);
      for (const { lease } of inbox.deliveries) await lease?.settle({ kind: 'accept' });
      for (const unit of [...desk.metered.keys(), ...kitchen.metered.keys()]) {
        check(c.manifest.billedUnits.includes(unit), `'${unit}' is not declared`);
      }
    },
  },
  {
    id: 'limits/location',
    clause: 'limits.5',
    title: 'the location contains neither user nor password',
    async run(c) {
      const { location } = c.transport();
      check(location.length > 0, 'the location is empty');
      check(!/\/\/[^/\s]*:[^/@\s]*@/.test(location), `a password is in ${location.replace(/:[^/@:]*@/, ':***@')}`);
      if (c.target.url === undefined || !URL.canParse(c.target.url)) return;
      const { password } = new URL(c.target.url);
      check(password === '' || !location.includes(decodeURIComponent(password)), 'the password is in the location');
    },
  },
  {
    id: 'limits/inert',
    clause: 'limits.6',
    title: 'transports that are never opened leave nothing behind',
    needs: ['handles'],
    async run(c) {
      const before = process
        .getActiveResourcesInfo()
        .filter((type) => type !== 'Timeout' && type !== 'Immediate').length;
      for (let n = 0; n < 50; n++) c.transport();
      await c.quiet();
      const after = process
        .getActiveResourcesInfo()
        .filter((type) => type !== 'Timeout' && type !== 'Immediate').length;
      check(after <= before, `${after - before} more handles than before`);
    },
  },
  {
    id: 'limits/back-pressure',
    clause: 'limits.7',
    title:
      'a slow subscriber with a small buffer gets all two thousand events and never holds more than its buffer allows',
    requires: { capabilities: ['everyone', 'backPressure'] },
    async run(c) {
      const desk = await c.join('desk');
      let most = 0;
      const inbox = await c.listen(await c.join('kitchen'), { bufferSize: 20 }, () => {
        most = Math.max(most, inbox.subscription.pending);
      });
      await Promise.all(Array.from({ length: 2_000 }, (_, n) => desk.publish({ type: 'order', data: n })));
      await c.untilCounted(() => inbox.count, 2_000, 'deliveries');
      await c.fence(desk, [inbox]);
      sameSet(
        inbox.data,
        Array.from({ length: 2_000 }, (_, n) => n),
        'data',
      );
      check(most <= 21, `${most} were held with a buffer of 20`);
    },
  },
  {
    id: 'limits/back-pressure-while-blocked',
    clause: 'limits.7',
    title: 'a blocked subscriber loses none of the events that arrive meanwhile',
    requires: { capabilities: ['everyone', 'backPressure'] },
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const inbox = await c.listen(await c.join('kitchen'), { bufferSize: 5 }, () => gate.passed);
      const publishing = later(
        Promise.all(Array.from({ length: 200 }, (_, n) => desk.publish({ type: 'order', data: n }))),
      );
      await inbox.until(1);
      gate.open();
      await c.within(publishing, 'publishing');
      await c.until(
        () => inbox.count >= 200,
        () => `200 deliveries, there are ${inbox.count}`,
      );
      sameSet(
        inbox.data,
        Array.from({ length: 200 }, (_, n) => n),
        'data',
      );
    },
  },
  {
    id: 'limits/native-client',
    clause: 'limits.8',
    title: 'the native client is available, if the transport has one',
    async run(c) {
      const desk = await c.join('desk');
      const below = await c.joinBelow('desk');
      same(desk.native === undefined, below.link.native === undefined, 'whether there is one');
    },
  },
  {
    id: 'limits/capacity',
    clause: 'limits.9',
    title: 'below core: a source never delivers more leases than its sink has capacity for',
    requires: { native: ['backPressure'] },
    async run(c) {
      const desk = await c.joinBelow('desk');
      const kitchen = await c.joinBelow('kitchen');
      const inbox = await kitchen.subscribe();
      inbox.limit(3);
      const publishing = later(desk.publish(Array.from({ length: 50 }, (_, n) => n)));
      await inbox.until(3);
      await c.quiet();
      check(inbox.deliveries.length <= 3, `${inbox.deliveries.length} were handed to a sink with room for 3`);
      inbox.limit(1_000);
      await c.within(publishing, 'publishing');
      await inbox.until(50);
    },
  },
  {
    id: 'limits/error-class',
    clause: 'limits.2',
    title: 'errors are PolycastErrors with a code, a message that starts with it, and the code’s retryable flag',
    async run(c) {
      const desk = await c.join('desk');
      await desk.close();
      const error = await refused(() => desk.publish({ type: 'order' }), ['closed'], 'publish');
      check(
        error instanceof PolycastError && error instanceof Error && error.name === 'PolycastError',
        'another class',
      );
      same([error.code, error.retryable], ['closed', false], 'code and retryable');
    },
  },
];
