import { ServiceBusAdministrationClient } from '@azure/service-bus';

/** The administration client over plain HTTP, which the local service speaks; the client itself always says https. */
export function administration(connectionString: string): ServiceBusAdministrationClient {
  const client = new ServiceBusAdministrationClient(connectionString);
  client.pipeline.addPolicy(
    {
      name: 'plain-http',
      sendRequest(request, next) {
        request.url = request.url.replace(/^https:/, 'http:');
        request.allowInsecureConnection = true;
        return next(request);
      },
    },
    { phase: 'Sign' },
  );
  return client;
}

/** What the vendor's client takes, of a URL that `connect` takes. */
export function connectionStringOf(url: string): string {
  return url.slice('service-bus:'.length);
}

/** The subscription of the bare clients. */
export const SUBSCRIPTION = 'bench';

export async function createTopic(connectionString: string, topic: string, subscriptions: readonly string[]) {
  const client = administration(connectionString);
  const unlessThere = (error: { statusCode?: number }) => {
    if (error.statusCode !== 409) throw error;
  };
  await client.createTopic(topic).catch(unlessThere);
  for (const name of subscriptions) await client.createSubscription(topic, name).catch(unlessThere);
}
