// Run in a process of its own, which trusts what NODE_EXTRA_CA_CERTS says: the vendor's client as anybody would use it.
import { ServiceBusAdministrationClient } from '@azure/service-bus';

const client = new ServiceBusAdministrationClient(process.argv[2]);
const done = [];
await client.createTopic('news');
await client.createSubscription('news', 'all', { lockDuration: 'PT30S' });
await client.createRule('news', 'all', 'red', { sqlExpression: "color = 'red'" });
for await (const rule of client.listRules('news', 'all')) done.push(rule.name);
await client.createQueue('orders');
done.push((await client.updateQueue({ ...(await client.getQueue('orders')), maxDeliveryCount: 4 })).maxDeliveryCount);
done.push((await client.getSubscription('news', 'all')).lockDuration);
for await (const page of client.listQueues().byPage({ maxPageSize: 2 })) done.push(page.length);
await client.deleteTopic('news');
done.push(await client.topicExists('news'), (await client.getNamespaceProperties()).name);
console.log(JSON.stringify(done));
