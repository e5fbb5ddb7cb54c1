import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { type Party, Scene, until } from './scene.ts';

const shop = { role: 'shop', instance: 'shop-1' };
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };
const use = { name: 'no-manage', key: 'a2V5LXdpdGhvdXQtbWFuYWdl', rights: ['send', 'listen'] } as const;
const full = { name: 'full', key: 'a2V5LW9mLWFsbC1yaWdodHM=', rights: ['manage', 'send', 'listen'] } as const;

interface Opened {
  readonly scene: Scene;
  readonly ledger: Ledger;
  readonly sender: Party;
  readonly receiver: Party;
  /** Name of the only subscription. */
  readonly subscription: string;
}

/** Somebody listens and somebody publishes. */
async function open(receiverCreates = true): Promise<Opened> {
  const scene = await Scene.open({ accessRules: [full, use] });
  const ledger = new Ledger();
  const sender = await scene.join({ self: shop });
  const receiver = await scene.join({ self: kitchen, transport: { create: receiverCreates } });
  if (!receiverCreates) {
    const error = await scene.refused(receiver.cast.subscribe(ledger.handle));
    const [, name = ''] = /subscription "([^"]+)"/.exec(error.message) ?? [];
    scene.service.broker.entities.createSubscription(scene.topic, name);
  }
  await receiver.cast.subscribe(ledger.handle);
  await ledger.publish(sender.cast);
  await ledger.balanceInOrder();
  const [found] = scene.service.broker.entities.subscriptions(scene.topic);
  return { scene, ledger, sender, receiver, subscription: found?.name ?? '' };
}

describe.concurrent('what somebody deletes while it is in use', () => {
  it('a topic is made again by who listens, and a gap is told', async () => {
    const { scene, ledger, sender, receiver } = await open();
    await using _ = scene;
    scene.service.broker.entities.deleteTopic(scene.topic);
    await until('the gap is told', () => receiver.of('gap').length === 1);
    expect(receiver.of('gap')).toEqual([{ kind: 'gap', reason: 'trimmed' }]);
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    await scene.end();
  });

  it('a topic is made again by who publishes, if nobody listens', async () => {
    const scene = await Scene.open();
    await using _ = scene;
    const { cast } = await scene.join({ self: shop });
    await cast.publish({ type: 'order' });
    scene.service.broker.entities.deleteTopic(scene.topic);
    await cast.publish({ type: 'order' });
    expect(scene.service.broker.entities.topic(scene.topic)?.description.requiresDuplicateDetection).toBe(true);
    await scene.end();
  });

  it('a topic, without Manage: publishing and listening fail with not-found', async () => {
    const { scene, sender, receiver } = await open(false);
    await using _ = scene;
    const { cast } = await scene.join({ self: { ...shop, instance: 'shop-2' }, transport: { create: false } });
    await sender.cast.close();
    scene.service.broker.entities.deleteTopic(scene.topic);
    await until('it is told', () => receiver.of('failed').length === 1);
    expect(receiver.of('failed')[0]).toMatchObject({ what: 'source', error: { code: 'not-found' } });
    expect((await scene.refused(cast.publish({ type: 'order' }))).code).toBe('not-found');
    await scene.end();
  });

  it('a subscription is made again, and a gap is told', async () => {
    const { scene, ledger, sender, receiver, subscription } = await open();
    await using _ = scene;
    scene.service.broker.entities.deleteSubscription(scene.topic, subscription);
    await until('the gap is told', () => receiver.of('gap').length === 1);
    expect(scene.service.broker.entities.subscriptions(scene.topic).map(({ name }) => name)).toEqual([subscription]);
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    await scene.end();
  });

  it('a subscription, without Manage: the source fails, once', async () => {
    const { scene, receiver, subscription } = await open(false);
    await using _ = scene;
    scene.service.broker.entities.deleteSubscription(scene.topic, subscription);
    await until('it is told', () => receiver.of('failed').length === 1);
    expect(receiver.of('failed')[0]).toMatchObject({ what: 'source', error: { code: 'not-found' } });
    expect(receiver.of('gap')).toEqual([]);
    await scene.end();
  });

  it('a subscription of a group is made again for all its members, and each event goes to one', async () => {
    const scene = await Scene.open();
    await using _ = scene;
    const ledger = new Ledger();
    const sender = await scene.join({ self: shop });
    const members = await Promise.all(
      [1, 2].map((number) => scene.join({ self: { role: 'kitchen', instance: `kitchen-${number}` } })),
    );
    for (const { cast } of members) await cast.subscribe(ledger.handle, { group: 'cooks' });
    const { entities } = scene.service.broker;
    const rules = () =>
      entities
        .subscriptions(scene.topic)
        .flatMap(({ name }) => entities.rules(scene.topic, name).map((rule) => `${name}/${rule.name}`))
        .sort()
        .join(' ');
    const before = rules();
    for (const { name } of entities.subscriptions(scene.topic)) entities.deleteSubscription(scene.topic, name);
    await until('both tell the gap', () => members.every(({ of }) => of('gap').length > 0));
    await until('every rule is back', () => rules() === before);
    for (let count = 0; count < 10; count++) await ledger.publish(sender.cast, count);
    for (let count = 0; count < 10; count++) await ledger.publish(sender.cast, count, { to: 'role:kitchen' });
    await ledger.balance();
    expect(ledger.handled.length).toBe(20);
    await scene.end();
  });
});

describe.concurrent('what somebody changes while it is in use', () => {
  it('a rule that lets too much through: the rest is dropped here', async () => {
    const { scene, ledger, sender, subscription } = await open();
    await using _ = scene;
    const { entities } = scene.service.broker;
    for (const { name } of entities.rules(scene.topic, subscription))
      entities.deleteRule(scene.topic, subscription, name);
    entities.createRule(scene.topic, subscription, { name: 'all', filter: { kind: 'true' } });
    await sender.cast.publish({ type: 'order', id: 'not ours' }, { to: 'role:waiter' });
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    await until('nothing is kept', () => scene.held === 0);
    await scene.end();
  });

  it('a rule that is deleted takes nothing any more; who subscribes durably again puts it right', async () => {
    const scene = await Scene.open();
    await using _ = scene;
    const ledger = new Ledger();
    const sender = await scene.join({ self: shop });
    const first = await scene.join({ self: kitchen });
    await first.cast.subscribe(ledger.handle, { durable: 'orders' });
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    await first.cast.close();
    const { entities } = scene.service.broker;
    const [{ name: subscription } = { name: '' }] = entities.subscriptions(scene.topic);
    for (const { name } of entities.rules(scene.topic, subscription))
      entities.deleteRule(scene.topic, subscription, name);
    await sender.cast.publish({ type: 'nobody gets this' });
    const again = await scene.join({ self: kitchen });
    await again.cast.subscribe(ledger.handle, { durable: 'orders' });
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    await scene.end({ keeps: 1 });
  });

  it.each(['Disabled', 'SendDisabled'] as const)(
    'a topic that is %s: throttled, until it is active',
    async (status) => {
      const { scene, ledger, sender } = await open();
      await using _ = scene;
      const { entities } = scene.service.broker;
      const hasty = await scene.join({ self: { ...shop, instance: 'shop-2' }, retry: { maxAttempts: 1 } });
      const patient = await scene.join({
        self: { ...shop, instance: 'shop-3' },
        retry: { maxAttempts: 1_000, maxMs: 20 },
      });
      await sender.cast.close();
      entities.updateTopic(scene.topic, { status });
      // Of what crosses the service's word nobody hears any more: it is lost with its link. From then on the service says why.
      expect((await scene.refused(hasty.cast.publish({ type: 'order' }))).code).toMatch(/^(disconnected|throttled)$/);
      const error = await scene.refused(hasty.cast.publish({ type: 'order' }));
      expect([error.code, error.retryable]).toEqual(['throttled', true]);
      const publishing = ledger.publish(patient.cast);
      entities.updateTopic(scene.topic, { status: 'Active' });
      await publishing;
      await ledger.balanceInOrder();
      await scene.end();
    },
  );

  it('a subscription that is disabled: what comes waits for it to be active', async () => {
    const { scene, ledger, sender, subscription } = await open();
    await using _ = scene;
    const { entities } = scene.service.broker;
    entities.updateSubscription(scene.topic, subscription, { status: 'ReceiveDisabled' });
    for (let count = 0; count < 3; count++) await ledger.publish(sender.cast);
    expect(ledger.handled.length).toBe(1);
    entities.updateSubscription(scene.topic, subscription, { status: 'Active' });
    await ledger.balanceInOrder();
    await scene.end();
  });
});
