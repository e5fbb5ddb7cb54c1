/** One participant asks all of a role, and takes the first reply. */
import { connect } from '@polycast/core';

const url = `redis://${process.env.REDIS ?? 'localhost:6379'}`;
await using kitchen = await connect({ url, topic: 'questions', self: { role: 'kitchen' } });
await using till = await connect({ url, topic: 'questions', self: { role: 'till' } });

await kitchen.subscribe((event, delivery) => delivery.reply({ ready: true, dish: event.data }));

const question = { type: 'dish.ready', data: 'soup' };
const [reply] = await till.request(question, { to: 'role:kitchen', maxReplies: 1, timeoutMs: 10_000 });
console.log(reply?.data);
