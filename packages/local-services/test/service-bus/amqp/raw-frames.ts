import { openFrame } from '../../../src/service-bus/amqp/outgoing-transfers.ts';
import { Writer } from '../../../src/service-bus/message/encoding/writer.ts';
import { Content } from '../../../src/service-bus/message/index.ts';
import { KEY } from './harness.ts';

/** Frames as a client without any library writes them. */

export const header = (protocol: number) => Buffer.from([0x41, 0x4d, 0x51, 0x50, protocol, 1, 0, 0]);

/** A frame with one performative. @param fields each writes one value */
export function frame(
  performative: number,
  fields: ((writer: Writer) => void)[],
  { type = 0, channel = 0 } = {},
): Buffer {
  const writer = new Writer();
  const at = openFrame(writer, channel, performative);
  const list = writer.openList();
  for (const field of fields) field(writer);
  writer.close(list, fields.length);
  writer.patchUint32(at, writer.length - at);
  const bytes = writer.takeBytes();
  bytes[5] = type;
  return bytes;
}

export const text = (value: string) => (writer: Writer) => writer.string(value);
export const symbol = (value: string) => (writer: Writer) => writer.symbol(value);
export const uint = (value: number) => (writer: Writer) => writer.uint(value);
export const flag = (value: boolean) => (writer: Writer) => writer.boolean(value);
export const none = (writer: Writer) => writer.null();

export const saslInit = frame(
  0x41,
  [(writer) => writer.symbol('PLAIN'), (writer) => writer.binary(Buffer.from(`\0root\0${KEY}`))],
  { type: 1 },
);
export const open = frame(0x10, [text('hostile'), none, uint(4_294_967_295)]);
export const begin = frame(0x11, [none, uint(0), uint(1_000), uint(1_000)]);
export const terminus = (code: number, address: string) => (writer: Writer) => {
  writer.descriptor(code);
  const list = writer.openList();
  writer.string(address);
  writer.close(list, 1);
};
export const attach = (handle: number, receiver: boolean, address = 'q') =>
  frame(0x12, [
    text(`link-${handle}`),
    uint(handle),
    flag(receiver),
    none,
    none,
    receiver ? terminus(0x28, address) : terminus(0x28, ''),
    receiver ? terminus(0x29, '') : terminus(0x29, address),
    none,
    none,
    uint(0),
  ]);
export const flow = (handle: number, credit: number, echo = false) =>
  frame(0x13, [
    uint(0),
    uint(1_000),
    uint(0),
    uint(1_000),
    uint(handle),
    uint(0),
    uint(credit),
    none,
    none,
    flag(echo),
  ]);
export const transfer = (handle: number, id: number, payload: Buffer) => {
  const bytes = frame(0x14, [
    uint(handle),
    uint(id),
    (writer) => writer.binary(Buffer.from([id])),
    uint(0),
    flag(false),
  ]);
  const whole = Buffer.concat([bytes, payload]);
  whole.writeUInt32BE(whole.length);
  return whole;
};
export const disposition = (first: number, last: number) =>
  frame(0x15, [
    flag(true),
    uint(first),
    uint(last),
    flag(true),
    (writer) => {
      writer.descriptor(0x24);
      writer.emptyList();
    },
  ]);

export const message = Content.build({ messageId: 'm', body: Buffer.from('body') }).bytes;
export const hello = [header(3), saslInit, header(0), open, begin];
export const session = [
  ...hello,
  attach(0, false),
  attach(1, true),
  transfer(0, 0, message),
  flow(1, 10),
  disposition(0, 0),
];
