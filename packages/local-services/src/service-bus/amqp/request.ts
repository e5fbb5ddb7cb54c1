import type { AmqpValue } from '../message/encoding/value.ts';
import { Writer } from '../message/encoding/writer.ts';
import { Content } from '../message/index.ts';
import { FIELD, FIELD_COUNT } from '../message/property-fields.ts';
import { SECTION } from '../message/sections.ts';
import type { PropertyValue } from '../rules/index.ts';
import { amqpErrorOf } from './error.ts';
import type { Arrived } from './incoming-transfers.ts';
import type { LinkNode, TakingNode } from './node.ts';
import type { FlowFields, RheaLink } from './rhea.ts';
import type { Session } from './session.ts';
import type { Wire } from './wire.ts';

/** Requests that one client may have on their way. */
const CREDIT = 1_000;
/** Replies that wait for a client's credit, before its link is given up. */
const MAX_WAITING_REPLIES = 1_000;
/** The same in bytes; the first is never too large. */
const MAX_WAITING_BYTES = 4_194_304;
/** The largest request: many messages to schedule fit. */
const MAX_REQUEST_BYTES = 16_777_216;

/** A message to `$cbs` or `$management`. */
export interface Request {
  readonly properties: ReadonlyMap<string, PropertyValue>;
  readonly body: AmqpValue | undefined;
}

export interface Reply {
  /** Each writes one value. */
  readonly properties: ReadonlyMap<string, (writer: Writer) => void>;
  readonly body?: (writer: Writer) => void;
}

/** A client that sends requests. */
export class RequestLink implements TakingNode {
  readonly maxMessageBytes = MAX_REQUEST_BYTES;
  readonly #link: RheaLink;
  readonly #session: Session;
  readonly #answer: (request: Request) => Promise<Reply> | Reply;
  readonly #replyLink: (replyTo: string | undefined) => ReplyLink | undefined;
  readonly #allowed: () => boolean;
  readonly #fault: (error: unknown) => void;

  constructor(options: {
    link: RheaLink;
    session: Session;
    answer: (request: Request) => Promise<Reply> | Reply;
    replyLink: (replyTo: string | undefined) => ReplyLink | undefined;
    allowed: () => boolean;
    /** Told what went wrong where nobody waits for it. */
    fault: (error: unknown) => void;
  }) {
    this.#link = options.link;
    this.#session = options.session;
    this.#answer = options.answer;
    this.#replyLink = options.replyLink;
    this.#allowed = options.allowed;
    this.#fault = options.fault;
    this.#credit();
  }

  get allowed(): boolean {
    return this.#allowed();
  }

  take({ deliveryId, settled, bytes }: Arrived): void {
    if (this.#link.credit < CREDIT / 2) this.#credit();
    try {
      const content = Content.read(bytes);
      const request = { properties: content.applicationProperties, body: content.bodyValue() };
      const correlationId = content.rawProperty(FIELD.messageId);
      const { replyTo } = content.brokerProperties;
      if (!settled) this.#session.received.accept(deliveryId);
      this.#reply(request, correlationId, replyTo).catch(this.#fault);
    } catch (error) {
      if (!settled) this.#session.received.reject(deliveryId, amqpErrorOf(error));
    }
  }

  async #reply(request: Request, correlationId: Buffer | undefined, replyTo: string | undefined): Promise<void> {
    try {
      const reply = await this.#answer(request);
      this.#replyLink(replyTo)?.send(encodeReply(correlationId, reply));
    } catch (error) {
      this.#link.close(amqpErrorOf(error));
    }
  }

  tooLarge(): void {
    this.#link.close({ condition: 'amqp:link:message-size-exceeded', description: 'The request is too large' });
  }

  flow({ echo }: FlowFields): void {
    if (echo) this.#link.issue_flow = true;
  }

  resume(): void {}

  closed(): void {
    this.#session.incoming.forget(this.#link);
  }

  #credit(): void {
    this.#link.credit = CREDIT;
    this.#link.issue_flow = true;
    this.#link.connection._register();
  }
}

/** A client that waits for replies. */
export class ReplyLink implements LinkNode {
  readonly #link: RheaLink;
  readonly #session: Session;
  readonly #wire: Wire;
  readonly #allowed: () => boolean;
  readonly #onClosed: () => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #tag = 0;

  constructor(options: {
    link: RheaLink;
    session: Session;
    wire: Wire;
    allowed: () => boolean;
    onClosed: () => void;
  }) {
    this.#link = options.link;
    this.#session = options.session;
    this.#wire = options.wire;
    this.#allowed = options.allowed;
    this.#onClosed = options.onClosed;
    options.link._get_drain = () => false;
  }

  get allowed(): boolean {
    return this.#allowed();
  }

  /** Replies to this address come here: clients name the link's target or the link itself. */
  answersTo(replyTo: string | undefined): boolean {
    return replyTo === this.#link.remote.attach.target?.address || replyTo === this.#link.name;
  }

  send(bytes: Buffer): void {
    const tooMuch = this.#waiting.length > 0 && this.#waitingBytes + bytes.length > MAX_WAITING_BYTES;
    if (tooMuch || this.#waiting.length >= MAX_WAITING_REPLIES) {
      this.#link.close({ condition: 'amqp:resource-limit-exceeded', description: 'Too many replies wait for credit' });
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.resume();
  }

  flow({ delivery_count, link_credit, drain, echo }: FlowFields): void {
    const link = this.#link;
    link.credit = Math.max(0, ((delivery_count ?? 0) + (link_credit ?? 0) - link.delivery_count) | 0);
    this.resume();
    if (drain && this.#waiting.length === 0) {
      link.delivery_count = (link.delivery_count + link.credit) >>> 0;
      link.credit = 0;
    }
    if (drain || echo) {
      link._get_drain = () => drain === true;
      link.issue_flow = true;
    }
  }

  resume(): void {
    while (this.#link.credit > 0 && this.#waiting.length > 0 && !this.#wire.isCongested()) {
      const bytes = this.#waiting.shift()!;
      this.#waitingBytes -= bytes.length;
      this.#link.credit--;
      this.#link.delivery_count = (this.#link.delivery_count + 1) >>> 0;
      const tag = Buffer.allocUnsafe(4);
      tag.writeUInt32BE((this.#tag = (this.#tag + 1) >>> 0));
      const write = (writer: Writer) => writer.raw(bytes);
      this.#session.outgoing.send(this.#link.local.handle, tag, bytes.length, write, new Writer(), undefined);
    }
  }

  closed(): void {
    this.#waiting = [];
    this.#onClosed();
  }
}

/** @param correlationId the request's message id, as it was encoded */
function encodeReply(correlationId: Buffer | undefined, reply: Reply): Buffer {
  const writer = new Writer();
  writer.descriptor(SECTION.properties);
  const list = writer.openList();
  for (let field = 0; field < FIELD_COUNT; field++) {
    if (field === FIELD.correlationId && correlationId !== undefined) writer.raw(correlationId);
    else writer.null();
  }
  writer.close(list, FIELD_COUNT);
  writer.descriptor(SECTION.applicationProperties);
  const map = writer.openMap();
  for (const [name, write] of reply.properties) {
    writer.string(name);
    write(writer);
  }
  writer.close(map, reply.properties.size * 2);
  writer.descriptor(SECTION.value);
  if (reply.body === undefined) writer.null();
  else reply.body(writer);
  return writer.takeBytes();
}
