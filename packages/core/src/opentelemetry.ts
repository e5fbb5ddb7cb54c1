import {
  type Attributes,
  type Context,
  context,
  createTraceState,
  isSpanContextValid,
  type Link,
  type Meter,
  metrics,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { type OptionNames, optionsOf } from './contract/checked-option.ts';
import { asError } from './contract/describe-error.ts';
import type { Middleware, MiddlewareContext } from './contract/middleware.ts';
import type { BroadcastEvent } from './envelope/event.ts';

export interface OpenTelemetryOptions {
  /** @default the global provider's tracer `@polycast/core` */
  readonly tracer?: Tracer;
  /** @default the global provider's meter `@polycast/core` */
  readonly meter?: Meter;
}

const OPEN_TELEMETRY_OPTIONS: OptionNames<OpenTelemetryOptions> = { tracer: 1, meter: 1 };

/**
 * Traces and measures through `@opentelemetry/api`: `connect({ middleware: [openTelemetry()] })`.
 *
 * A publish is a producer span, which the event carries as the attributes `traceparent` and `tracestate`; each attempt of a
 * handler is a consumer span with a link to it (many handlers and late ones are no children of one publish). An event that
 * already says its `traceparent` keeps it.
 *
 * @see CloudEvents extension "distributed tracing"; OpenTelemetry semantic conventions for messaging (development)
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Middleware {
  optionsOf('openTelemetry', options, OPEN_TELEMETRY_OPTIONS);
  const tracer = options.tracer ?? trace.getTracer('@polycast/core');
  const meter = options.meter ?? metrics.getMeter('@polycast/core');
  const published = meter.createCounter('messaging.client.sent.messages', { unit: '{message}' });
  const delivered = meter.createCounter('messaging.client.consumed.messages', { unit: '{message}' });
  const publishDuration = meter.createHistogram('messaging.client.operation.duration', { unit: 's' });
  const handlingDuration = meter.createHistogram('messaging.process.duration', { unit: 's' });
  const deadLettered = meter.createCounter('polycast.dead_lettered.messages', { unit: '{message}' });

  return {
    async publish(event, at, next) {
      const common = attributesOf(at, 'publish', 'send');
      const span = tracer.startSpan(`publish ${at.topic}`, {
        kind: SpanKind.PRODUCER,
        attributes: { ...common, 'polycast.event.type': event.type, 'polycast.to': [...at.to], ...idOf(event.id) },
      });
      const active = trace.setSpan(context.active(), span);
      const startedMs = performance.now();
      let error: Attributes = {};
      try {
        await context.with(active, () => next({ ...traceOf(span.spanContext()), ...event }));
      } catch (thrown) {
        error = fail(span, thrown);
        throw thrown;
      } finally {
        published.add(1, { ...common, ...error }, active);
        publishDuration.record((performance.now() - startedMs) / 1_000, { ...common, ...error }, active);
        span.end();
      }
    },

    async deliver(delivery, at, next) {
      const { event, attempt } = delivery;
      const common = { ...attributesOf(at, 'process', 'process'), ...groupOf(at.group) };
      const link = linkTo(event);
      const span = tracer.startSpan(`process ${at.topic}`, {
        kind: SpanKind.CONSUMER,
        attributes: { ...common, 'polycast.event.type': event.type, 'polycast.attempt': attempt, ...idOf(event.id) },
        links: link === undefined ? [] : [link],
      });
      const active: Context = trace.setSpan(context.active(), span);
      const startedMs = performance.now();
      let tags: Attributes = common;
      try {
        const result = await context.with(active, next);
        span.setAttribute('polycast.outcome', result.outcome);
        tags = { ...common, 'polycast.outcome': result.outcome };
        if (result.error !== undefined) tags = { ...tags, ...fail(span, result.error) };
        if (result.outcome === 'dead-lettered') deadLettered.add(1, common, active);
        return result;
      } catch (thrown) {
        tags = { ...tags, ...fail(span, thrown) };
        throw thrown;
      } finally {
        delivered.add(1, tags, active);
        handlingDuration.record((performance.now() - startedMs) / 1_000, tags, active);
        span.end();
      }
    },
  };
}

function attributesOf(at: MiddlewareContext, name: string, type: string): Attributes {
  return {
    'messaging.system': at.transport,
    'messaging.destination.name': at.topic,
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.client.id': at.self.instance,
  };
}

function groupOf(group: string | undefined): Attributes {
  return group === undefined ? {} : { 'messaging.consumer.group.name': group };
}

function idOf(id: string | undefined): Attributes {
  return id === undefined ? {} : { 'messaging.message.id': id };
}

/** Marks the span as failed. @returns the attribute that metrics share */
function fail(span: Span, thrown: unknown): Attributes {
  const error = asError(thrown);
  const { code = error.name } = error as { code?: unknown };
  span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  const type = typeof code === 'string' ? code : error.name;
  span.setAttribute('error.type', type);
  return { 'error.type': type };
}

/** The span as CloudEvents attributes; nothing for one that is not real. */
function traceOf(span: SpanContext): { traceparent?: string; tracestate?: string } {
  if (!isSpanContextValid(span)) return {};
  const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
  const tracestate = span.traceState?.serialize() ?? '';
  return { traceparent: `00-${span.traceId}-${span.spanId}-${flags}`, ...(tracestate === '' ? {} : { tracestate }) };
}

/** @see W3C Trace Context, section 3.2: versions to come may add fields behind a hyphen */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:$|-)/;

function linkTo(event: BroadcastEvent): Link | undefined {
  const parts = typeof event.traceparent === 'string' ? TRACEPARENT.exec(event.traceparent) : null;
  if (parts === null) return undefined;
  const span: SpanContext = {
    traceId: parts[1]!,
    spanId: parts[2]!,
    traceFlags: Number.parseInt(parts[3]!, 16),
    isRemote: true,
    ...(typeof event.tracestate === 'string' ? { traceState: createTraceState(event.tracestate) } : {}),
  };
  return isSpanContextValid(span) ? { context: span } : undefined;
}
