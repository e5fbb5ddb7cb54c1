/** Competing consumers: each order goes to one of the two cooks. */
import { type BroadcastEvent, connect } from '@polycast/core';

const url = `redis+streams://${process.env.REDIS ?? 'localhost:6379'}`;
await using till = await connect({ url, topic: 'dishes', self: { role: 'till' } });
await using anna = await connect({ url, topic: 'dishes', self: { role: 'cook' } });
await using ben = await connect({ url, topic: 'dishes', self: { role: 'cook' } });

const dishes = ['soup', 'pie', 'stew', 'cake'];
const cooked: unknown[] = [];
let done = () => {};
const allCooked = new Promise<void>((resolve) => {
  done = resolve;
});
for (const cook of [anna, ben]) {
  const handler = ({ data }: BroadcastEvent) => {
    cooked.push(data);
    if (cooked.length === dishes.length) done();
  };
  await cook.subscribe(handler, { group: 'cooks' });
}

for (const dish of dishes) await till.publish({ type: 'dish.ordered', data: dish }, { to: 'role:cook' });
await allCooked;
console.log(cooked.sort().join(', '));
