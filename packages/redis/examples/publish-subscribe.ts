/** One participant publishes, another handles what is for its role. */
import { connect } from '@polycast/core';

const url = `redis://${process.env.REDIS ?? 'localhost:6379'}`;
await using kitchen = await connect({ url, topic: 'orders', self: { role: 'kitchen' } });
await using till = await connect({ url, topic: 'orders', self: { role: 'till' } });

const orders = await kitchen.subscribe();
await till.publish({ type: 'order.placed', data: { dish: 'soup' } }, { to: 'role:kitchen' });

for await (const { event } of orders) {
  console.log(event.type, event.data);
  break;
}
