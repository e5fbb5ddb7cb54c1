import { BrokerError } from '../broker/error.ts';
import { type Changes, type PropertyValue, TimeSpan, Uuid } from '../rules/index.ts';
import { MAX_TTL_MS, writeHeader } from './build.ts';
import { Reader } from './encoding/reader.ts';
import { Writer } from './encoding/writer.ts';
import type { Content } from './message.ts';
import { ANNOTATION_OF_NAME, FIELD, FIELD_COUNT, FIELD_OF_NAME } from './property-fields.ts';
import { deliveryAnnotationsOf, SECTION } from './sections.ts';

const NOTHING: ReadonlyMap<string, PropertyValue> = new Map();

/** Encodes the message anew with some properties changed. What is not changed keeps its bytes, and with them its type. */
export function editMessage(message: Content, changes: Partial<Changes>): Buffer {
  const fields = new Map<number, string | null>();
  const annotations = new Map<string, PropertyValue>();
  let ttl: number | null | undefined;
  for (const [name, value] of changes.system ?? NOTHING) {
    const folded = name.toLowerCase();
    const field = FIELD_OF_NAME.get(folded);
    const annotation = ANNOTATION_OF_NAME.get(folded);
    if (field !== undefined) fields.set(field, textOf(name, value));
    else if (folded === 'scheduledenqueuetimeutc') annotations.set(annotation!, timeOf(name, value));
    else if (annotation !== undefined) annotations.set(annotation, textOf(name, value));
    else if (folded === 'timetolive') ttl = durationOf(name, value);
    else argument(`The property ${name} cannot be set`);
  }
  const writer = new Writer(message.size + 256);
  copyHeader(writer, message, ttl);
  const [from, to] = deliveryAnnotationsOf(message.bytes) ?? [0, 0];
  writer.raw(message.bytes, from, to);
  editMap(writer, message, SECTION.messageAnnotations, message.sections.messageAnnotations, annotations);
  editProperties(writer, message, fields);
  editMap(
    writer,
    message,
    SECTION.applicationProperties,
    message.sections.applicationProperties,
    changes.user ?? NOTHING,
  );
  writer.raw(message.bytes, message.sections.bodyAt);
  return writer.copyBytes();
}

function copyHeader(writer: Writer, message: Content, ttl: number | null | undefined): void {
  if (message.sections.header < 0 && ttl === undefined) return;
  const header = message.header();
  writeHeader(writer, ttl === undefined ? header : { ...header, ttl: ttl ?? undefined });
}

function editProperties(writer: Writer, message: Content, changes: ReadonlyMap<number, string | null>): void {
  const at = message.sections.properties;
  if (at < 0 && changes.size === 0) return;
  writer.descriptor(SECTION.properties);
  const before = at < 0 ? undefined : new Reader(message.bytes, at).list();
  const list = writer.openList();
  for (let field = 0; field < FIELD_COUNT; field++) {
    const raw = before?.raw();
    const change = changes.get(field);
    if (typeof change === 'string') field === FIELD.contentType ? writer.symbol(change) : writer.string(change);
    else if (change === undefined && raw !== undefined) writer.raw(raw);
    else writer.null();
  }
  writer.close(list, FIELD_COUNT);
}

/** Names compare without case; one that is there keeps its place and spelling. */
function editMap(
  writer: Writer,
  message: Content,
  code: number,
  at: number,
  changes: ReadonlyMap<string, PropertyValue>,
): void {
  const left = new Map([...changes].map(([name, value]) => [name.toLowerCase(), { name, value }]));
  if (at < 0 && left.size === 0) return;
  const symbolic = code === SECTION.messageAnnotations;
  writer.descriptor(code);
  const map = writer.openMap();
  let count = 0;
  const before = at < 0 ? undefined : new Reader(message.bytes, at).map();
  while (before?.more()) {
    const startAt = before.at;
    const key = before.value();
    const valueAt = before.at;
    before.more();
    before.skip();
    const folded = typeof key === 'string' ? key.toLowerCase() : undefined;
    const change = folded === undefined ? undefined : left.get(folded);
    if (change === undefined) writer.raw(message.bytes, startAt, before.at);
    else {
      left.delete(folded!);
      if (change.value === null) continue;
      writer.raw(message.bytes, startAt, valueAt);
      writer.value(change.value);
    }
    count += 2;
  }
  for (const { name, value } of left.values()) {
    if (value === null) continue;
    symbolic ? writer.symbol(name) : writer.string(name);
    writer.value(value);
    count += 2;
  }
  writer.close(map, count);
}

function textOf(name: string, value: PropertyValue): string | null {
  if (value === null || typeof value === 'string') return value;
  if (value instanceof Uuid) return value.text;
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  return argument(`The property ${name} takes text`);
}

function timeOf(name: string, value: PropertyValue): Date | null {
  if (value === null || value instanceof Date) return value;
  return argument(`The property ${name} takes a time`);
}

/** In ms; those that no header holds are none. */
function durationOf(name: string, value: PropertyValue): number | null {
  if (value === null) return null;
  if (value instanceof TimeSpan && value.ticks >= 0n) return value.ms > MAX_TTL_MS ? null : value.ms;
  return argument(`The property ${name} takes a length of time`);
}

function argument(message: string): never {
  throw new BrokerError('com.microsoft:argument-error', message);
}
