import 'reflect-metadata';
import { Controller, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, EventPattern, type MicroserviceOptions, Payload, Transport } from '@nestjs/microservices';
import type { LatencyDriver } from '@polycast/measure';
import { lastValueFrom } from 'rxjs';
import { hostAndPort } from '../../wire/target.ts';

Logger.overrideLogger(false);

export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const client = ClientProxyFactory.create({ transport: Transport.REDIS, options: hostAndPort(url) });
    await client.connect();
    return {
      publish: (data) => lastValueFrom(client.emit(topic, data), { defaultValue: undefined }),
      close: async () => client.close(),
    };
  },
  async openSubscriber({ url, topic }, _index, onPayload) {
    class Kitchen {
      moved(data: unknown) {
        onPayload(data);
      }
    }
    class App {}
    // As decorators do it: their syntax would need a compiler option that nothing else here needs.
    EventPattern(topic)(Kitchen.prototype, 'moved', Object.getOwnPropertyDescriptor(Kitchen.prototype, 'moved')!);
    Payload()(Kitchen.prototype, 'moved', 0);
    Controller()(Kitchen);
    Module({ controllers: [Kitchen] })(App);
    const options: MicroserviceOptions = { transport: Transport.REDIS, options: hostAndPort(url) };
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(App, { ...options, logger: false });
    await app.listen();
    return { close: () => app.close() };
  },
};
