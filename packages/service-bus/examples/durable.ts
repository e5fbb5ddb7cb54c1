/** A durable subscription keeps what is published while its process is away, and goes on where it was. */
import { connect } from '@polycast/core';

const url = `service-bus:${process.env.SERVICE_BUS_CONNECTION_STRING}`;
await using till = await connect({ url, topic: 'bills', self: { role: 'till' } });

// The instance id is what it is found by again: it must be the same after a restart.
const office = { url, topic: 'bills', self: { role: 'office', instance: 'office-1' } };
const before = await connect(office);
await before.subscribe(() => {}, { durable: true });
await before.close();

await till.publish({ type: 'bill.paid', data: { table: 7 } });

await using after = await connect(office);
for await (const { event } of await after.subscribe({ durable: true })) {
  console.log(event.type, event.data);
  break;
}
