import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { connect } from '../src/connection/connect.ts';
import type { Delivery } from '../src/contract/contract.ts';
import { PolycastError } from '../src/contract/error.ts';
import type { DeliverResult, Middleware } from '../src/contract/middleware.ts';
import { BroadcastEvent, type EventInput } from '../src/envelope/event.ts';
import { openTelemetry } from '../src/opentelemetry.ts';
import { LoopTransport } from './loop-transport.ts';

const spans = new InMemorySpanExporter();
const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).getTracer('test');
const at = { topic: 'orders', self: { instance: 'till-1', role: 'till' }, transport: 'memory', location: 'memory:' };

let measured: InMemoryMetricExporter;
let meters: MeterProvider;
let middleware: Middleware;

beforeEach(() => {
  spans.reset();
  measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: measured })] });
  middleware = openTelemetry({ tracer, meter: meters.getMeter('test') });
});

async function publish(event: EventInput): Promise<EventInput> {
  let sent: EventInput | undefined;
  await middleware.publish?.(event, { ...at, to: ['*'] }, async (changed) => {
    sent = changed;
  });
  return sent!;
}

function deliver(attributes: Record<string, string>, result: DeliverResult): Promise<DeliverResult> | undefined {
  const event = new BroadcastEvent({ type: 'order.moved', source: '/till/till-1', id: 'e1', attributes });
  const delivery = { event, attempt: 2 } as Delivery;
  return middleware.deliver?.(delivery, { ...at, group: 'cooks', durable: undefined }, async () => result);
}

function revoked(): Record<string, unknown> {
  const { proxy, revoke } = Proxy.revocable<Record<string, unknown>>({}, {});
  revoke();
  return proxy;
}

/** Sums or counts by metric name. */
async function counts(): Promise<Record<string, unknown>> {
  await meters.forceFlush();
  const all =
    measured
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? [];
  return Object.fromEntries(
    all.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints
        .map(({ value }) => (typeof value === 'number' ? value : value.count))
        .reduce((sum, count) => sum + count, 0),
    ]),
  );
}

describe('publishing', () => {
  test('is a producer span, which the event carries', async () => {
    const sent = await publish({ type: 'order.moved', id: 'e1', data: 1 });
    const [span] = spans.getFinishedSpans();
    const { traceId, spanId } = span!.spanContext();
    expect(sent).toEqual({ type: 'order.moved', id: 'e1', data: 1, traceparent: `00-${traceId}-${spanId}-01` });
    expect(span).toMatchObject({
      name: 'publish orders',
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system': 'memory',
        'messaging.destination.name': 'orders',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.message.id': 'e1',
        'messaging.client.id': 'till-1',
      },
    });
    expect(await counts()).toMatchObject({
      'messaging.client.sent.messages': 1,
      'messaging.client.operation.duration': 1,
    });
  });

  test('leaves a traceparent alone that is there', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    expect(await publish({ type: 'a', traceparent })).toMatchObject({ traceparent });
  });

  test('that fails marks the span, and fails', async () => {
    const error = new PolycastError('throttled', 'slowly');
    await expect(middleware.publish?.({ type: 'a' }, { ...at, to: ['*'] }, () => Promise.reject(error))).rejects.toBe(
      error,
    );
    expect(spans.getFinishedSpans()[0]).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'throttled' },
    });
  });

  test.each<[string, () => unknown]>([
    ['an object without a prototype', () => Object.create(null)],
    ['an error whose message is an object', () => Object.assign(new Error(), { message: { status: 500 } })],
    ['an error whose code throws', () => Object.defineProperty(new Error('x'), 'code', { get: () => revoked().x })],
    ['a revoked proxy', revoked],
    ['a symbol', () => Symbol('odd')],
  ])('that fails with %s fails with the same, and ends the span', async (_, make) => {
    const odd = make();
    const outcome = await middleware
      .publish?.({ type: 'a' }, { ...at, to: ['*'] }, () => Promise.reject(odd))
      .then(
        () => 'nothing',
        (thrown: unknown) => [thrown],
      );
    expect((outcome as unknown[])[0] === odd).toBe(true);
    expect(spans.getFinishedSpans()[0]).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'Error' },
    });
  });
});

describe('handling', () => {
  test('is a consumer span of its own with a link to the publisher', async () => {
    const sent = await publish({ type: 'order.moved' });
    await deliver({ traceparent: String(sent.traceparent), tracestate: 'a=b' }, { outcome: 'accepted' });
    const [producer, consumer] = spans.getFinishedSpans();
    expect(consumer).toMatchObject({
      name: 'process orders',
      kind: SpanKind.CONSUMER,
      parentSpanContext: undefined,
      attributes: {
        'messaging.operation.type': 'process',
        'messaging.consumer.group.name': 'cooks',
        'messaging.message.id': 'e1',
        'polycast.attempt': 2,
        'polycast.outcome': 'accepted',
      },
    });
    expect(consumer!.links).toHaveLength(1);
    expect(consumer!.links[0]!.context).toMatchObject({
      traceId: producer!.spanContext().traceId,
      spanId: producer!.spanContext().spanId,
      isRemote: true,
    });
    expect(consumer!.links[0]!.context.traceState?.get('a')).toBe('b');
    expect(await counts()).toMatchObject({ 'messaging.client.consumed.messages': 1, 'messaging.process.duration': 1 });
  });

  test.each([
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  ])('has no link to %j', async (traceparent) => {
    await deliver({ traceparent }, { outcome: 'accepted' });
    expect(spans.getFinishedSpans()[0]!.links).toEqual([]);
  });

  test('that fails marks the span and counts dead letters', async () => {
    await deliver({}, { outcome: 'released', error: new Error('busy') });
    await deliver({}, { outcome: 'dead-lettered', error: new Error('broken') });
    expect(spans.getFinishedSpans()).toMatchObject([
      { status: { code: SpanStatusCode.ERROR }, attributes: { 'polycast.outcome': 'released', 'error.type': 'Error' } },
      {
        status: { code: SpanStatusCode.ERROR, message: 'broken' },
        attributes: { 'polycast.outcome': 'dead-lettered' },
      },
    ]);
    expect(await counts()).toMatchObject({
      'polycast.dead_lettered.messages': 1,
      'messaging.client.consumed.messages': 2,
    });
  });

  test('without a provider nothing is added to the event', async () => {
    let sent: EventInput | undefined;
    await openTelemetry().publish?.({ type: 'a' }, { ...at, to: ['*'] }, async (event) => {
      sent = event;
    });
    expect(sent).toEqual({ type: 'a' });
    expect(trace.getSpan(ROOT_CONTEXT)).toBeUndefined();
  });
});

test('through a broadcaster: the handler’s span is linked to the publisher’s, over any wire', async () => {
  const transport = new LoopTransport();
  const me = await connect({ transport, topic: 'orders', carbonCopy: true, middleware: [middleware] });
  await me.subscribe((event) => {
    if (event.type === 'order.lost') throw new PolycastError('invalid-payload', 'no use trying again');
  });
  await me.publish({ type: 'order.moved', data: 1 });
  await me.publish({ type: 'order.lost', data: 2 });
  await vi.waitFor(() => expect(spans.getFinishedSpans().length).toBe(4));
  const published = spans.getFinishedSpans().filter(({ kind }) => kind === SpanKind.PRODUCER);
  const handled = spans.getFinishedSpans().filter(({ kind }) => kind === SpanKind.CONSUMER);
  expect(handled.map(({ links }) => links[0]?.context.spanId)).toEqual(
    published.map((span) => span.spanContext().spanId),
  );
  expect(handled.map(({ status }) => status.code)).toEqual([SpanStatusCode.UNSET, SpanStatusCode.ERROR]);
  expect(transport.sent[0]?.[0]?.encoded.json).toContain('"traceparent":"00-');
  await me.close();
});
