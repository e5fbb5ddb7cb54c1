import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import {
  ServiceBusAdministrationClient,
  type ServiceBusAdministrationClientOptions,
  type TokenCredential,
} from '@azure/service-bus';
import { type AccessRule, Authority, signSas } from '../../../src/auth/index.ts';
import { type Listener, openListener, TestAuthority } from '../../../src/listener/index.ts';
import { type Broker, createBroker, systemClock, type Tier } from '../../../src/service-bus/broker/index.ts';
import { MAX_HEADER_BYTES, serveNamespace } from '../../../src/service-bus/http/index.ts';
import { JWT_RULES } from '../../../src/service-bus/token-rules.ts';

export const ROOT: AccessRule = {
  name: 'RootManageSharedAccessKey',
  key: 'root key',
  rights: ['manage', 'send', 'listen'],
};
export const SENDER: AccessRule = { name: 'sender', key: 'sender key', rights: ['send'] };
export const LISTENER: AccessRule = { name: 'listener', key: 'listener key', rights: ['listen'] };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** A namespace's HTTP side on a real socket, and ways to ask it. */
export class HttpNamespace {
  readonly broker: Broker;
  readonly listener: Listener;
  /** Whose certificate answers over HTTPS. */
  readonly tls: TestAuthority;

  private constructor(broker: Broker, listener: Listener, tls: TestAuthority) {
    this.broker = broker;
    this.listener = listener;
    this.tls = tls;
  }

  get port(): number {
    return this.listener.port;
  }

  static async start(tier: Tier = 'standard'): Promise<HttpNamespace> {
    const broker = createBroker({ tier, clock: systemClock });
    const authority = new Authority(
      {
        namespace: [ROOT, SENDER, LISTENER],
        entity: (path) =>
          (broker.entities.queue(path) ?? broker.entities.topic(path))?.description.authorizationRules.map((rule) => ({
            name: rule.name,
            key: rule.primaryKey,
            secondaryKey: rule.secondaryKey,
            rights: rule.rights,
          })) ?? [],
      },
      { jwtRules: JWT_RULES },
    );
    const tls = new TestAuthority();
    const http = serveNamespace({ broker, authority });
    const listener = await openListener({ host: '127.0.0.1', port: 0, tls, http, maxHeaderBytes: MAX_HEADER_BYTES });
    return new HttpNamespace(broker, listener, tls);
  }

  get host(): string {
    return `localhost:${this.port}`;
  }

  connectionString(rule: AccessRule = ROOT): string {
    return `Endpoint=sb://${this.host}/;SharedAccessKeyName=${rule.name};SharedAccessKey=${rule.key}`;
  }

  /** The vendor's client, which knows https only: its requests are led to plain HTTP when they are signed. */
  client(
    as: AccessRule | TokenCredential = ROOT,
    more: ServiceBusAdministrationClientOptions = {},
  ): ServiceBusAdministrationClient {
    const options = { retryOptions: { maxRetries: 0 }, ...more };
    const client =
      'key' in as
        ? new ServiceBusAdministrationClient(this.connectionString(as), options)
        : new ServiceBusAdministrationClient(this.host, as, options);
    client.pipeline.addPolicy(
      {
        name: 'plain',
        sendRequest(request, next) {
          request.url = request.url.replace('https://', 'http://');
          request.allowInsecureConnection = true;
          return next(request);
        },
      },
      { afterPhase: 'Sign' },
    );
    return client;
  }

  token(rule: AccessRule = ROOT, path = '', expiresAtMs = Date.now() + 60_000): string {
    return signSas(`http://${this.host}/${path}`, rule, expiresAtMs);
  }

  /** One request with the root's token, unless `authorization` says otherwise; null: none. */
  ask(
    method: string,
    path: string,
    options: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Buffer;
      readonly authorization?: string | null;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<Answer> {
    const { authorization = this.token() } = options;
    const request: RequestOptions = {
      host: '127.0.0.1',
      port: this.port,
      method,
      path: path.startsWith('/') ? path : `/${path}`,
      agent: false,
      headers: {
        Host: this.host,
        ...(authorization === null ? {} : { Authorization: authorization }),
        ...options.headers,
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
    return new Promise((resolve, reject) => {
      const sent = httpRequest(request, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        const { statusCode: status = 0, headers, rawHeaders } = response;
        resolve({ status, headers, rawHeaders, body: Buffer.concat(chunks).toString() });
      });
      sent.on('error', reject);
      sent.end(options.body);
    });
  }

  async close(): Promise<void> {
    await this.listener.close();
    await this.tls.close();
    this.broker.close();
  }
}
