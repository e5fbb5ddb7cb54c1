import { decodeError, Reader } from './encoding/reader.ts';

/** Sections of a message by their descriptors (AMQP 1.0 part 3, section 3.2). */
export const SECTION = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
  data: 0x75,
  sequence: 0x76,
  value: 0x77,
  footer: 0x78,
} as const;

const SYMBOLS: Readonly<Record<string, number>> = {
  'amqp:header:list': SECTION.header,
  'amqp:delivery-annotations:map': SECTION.deliveryAnnotations,
  'amqp:message-annotations:map': SECTION.messageAnnotations,
  'amqp:properties:list': SECTION.properties,
  'amqp:application-properties:map': SECTION.applicationProperties,
  'amqp:data:binary': SECTION.data,
  'amqp:amqp-sequence:list': SECTION.sequence,
  'amqp:value:*': SECTION.value,
  'amqp:footer:map': SECTION.footer,
};

/** Reads the descriptor of the next section; the reader stands before its content. @throws BrokerError `amqp:decode-error` */
export function sectionCode(reader: Reader): number {
  if (reader.byte() !== 0) decodeError('a message section without a descriptor');
  const code = reader.bytes[reader.at];
  // The one that everybody writes: smallulong.
  if (code === 0x53) {
    reader.take(1);
    return known(reader.byte());
  }
  const descriptor = reader.value();
  if (typeof descriptor === 'bigint') return known(Number(descriptor));
  return known(typeof descriptor === 'string' ? (SYMBOLS[descriptor] ?? 0) : 0);
}

function known(code: number): number {
  return code >= SECTION.header && code <= SECTION.footer
    ? code
    : decodeError(`0x${code.toString(16)} is not a message section`);
}

/** Where the sections of an encoded message lie. Offsets of contents, behind their descriptors; -1: not there. */
export interface Sections {
  /** Where the first section that receivers get unchanged begins: descriptors included. */
  bareAt: number;
  header: number;
  messageAnnotations: number;
  properties: number;
  applicationProperties: number;
  /** Where the first section behind the application properties begins: body, footer. */
  bodyAt: number;
}

/**
 * Finds the sections and checks that what is in them can be read.
 * @returns undefined: what leads to the body comes twice, or not in its order
 * @throws BrokerError `amqp:decode-error`
 */
export function findSections(bytes: Buffer): Sections | undefined {
  const found: Sections = {
    bareAt: -1,
    header: -1,
    messageAnnotations: -1,
    properties: -1,
    applicationProperties: -1,
    bodyAt: -1,
  };
  const reader = new Reader(bytes);
  let last = 0;
  while (!reader.done) {
    const startAt = reader.at;
    const code = sectionCode(reader);
    const at = reader.at;
    if (code < SECTION.data) {
      // Body sections may repeat, and some clients write the footer before them; what leads comes once and in order.
      if (code <= last) return undefined;
      if (code === SECTION.header) found.header = at;
      else if (code === SECTION.messageAnnotations) found.messageAnnotations = at;
      else if (code === SECTION.properties) found.properties = at;
      else if (code === SECTION.applicationProperties) found.applicationProperties = at;
    }
    if (code > SECTION.messageAnnotations && found.bareAt < 0) found.bareAt = startAt;
    if (code > SECTION.applicationProperties && found.bodyAt < 0) found.bodyAt = startAt;
    checkContent(reader, code);
    last = Math.max(last, code);
  }
  if (found.bodyAt < 0) found.bodyAt = bytes.length;
  if (found.bareAt < 0) found.bareAt = found.bodyAt;
  return found;
}

/** The message with its sections in their order: uamqp, the stack of older clients of the vendor, has one of its own. */
export function inOrder(bytes: Buffer): Buffer {
  const sections: { readonly code: number; readonly raw: Buffer }[] = [];
  const reader = new Reader(bytes);
  while (!reader.done) {
    const startAt = reader.at;
    const code = sectionCode(reader);
    reader.skip();
    sections.push({ code, raw: bytes.subarray(startAt, reader.at) });
  }
  return Buffer.concat(sections.sort((one, other) => one.code - other.code).map(({ raw }) => raw));
}

/** Reads everything but the body, which nobody here looks into. */
function checkContent(reader: Reader, code: number): void {
  if (code === SECTION.data) {
    const type = reader.bytes[reader.at];
    if (type !== 0xa0 && type !== 0xb0) decodeError('a data section that is not binary');
    reader.skip();
    return;
  }
  if (code === SECTION.sequence || code === SECTION.value) {
    reader.skip();
    return;
  }
  const isList = code === SECTION.header || code === SECTION.properties;
  const fields = isList ? reader.list() : reader.map();
  while (fields.more()) fields.check();
}

/**
 * Where the delivery annotations lie, their descriptor included; undefined: there are none. They are looked for when they
 * are needed: kept beside each message, the place would take memory that hardly any message has a use for.
 * @param bytes a message whose sections were found
 */
export function deliveryAnnotationsOf(bytes: Buffer): readonly [from: number, to: number, content: number] | undefined {
  const reader = new Reader(bytes);
  while (!reader.done) {
    const from = reader.at;
    const code = sectionCode(reader);
    const content = reader.at;
    if (code > SECTION.deliveryAnnotations) return undefined;
    reader.skip();
    if (code === SECTION.deliveryAnnotations) return [from, reader.at, content];
  }
  return undefined;
}
