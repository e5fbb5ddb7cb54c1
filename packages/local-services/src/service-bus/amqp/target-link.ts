import type { Target } from '../broker/api.ts';
import { BrokerError } from '../broker/error.ts';
import { BATCH_FORMAT, Content, readBatch } from '../message/index.ts';
import { amqpErrorOf } from './error.ts';
import type { Arrived } from './incoming-transfers.ts';
import type { TakingNode } from './node.ts';
import type { FlowFields, RheaLink } from './rhea.ts';
import type { Session } from './session.ts';

/** Messages that a client may have on their way. Clients look for credit by polling: there is always some. */
const CREDIT = 5_000;

export interface TargetLinkOptions {
  readonly link: RheaLink;
  readonly session: Session;
  readonly target: Target;
  readonly now: () => number;
  readonly allowed: () => boolean;
  /** Told when nothing can be sent there any more. */
  readonly gone: (error: BrokerError) => void;
}

/** A client that sends to a queue or topic. */
export class TargetLink implements TakingNode {
  readonly maxMessageBytes: number;
  readonly #options: TargetLinkOptions;
  readonly #stopListening: () => void;

  constructor(options: TargetLinkOptions) {
    this.#options = options;
    this.maxMessageBytes = options.target.maxMessageBytes;
    this.#stopListening = options.target.onGone(options.gone);
    this.#credit();
  }

  get allowed(): boolean {
    return this.#options.allowed();
  }

  take(arrived: Arrived): void {
    const { link, session, target } = this.#options;
    try {
      target.send(this.#read(arrived));
      if (!arrived.settled) session.received.accept(arrived.deliveryId);
    } catch (error) {
      this.#refuse(arrived, error);
    }
    if (link.credit < CREDIT / 2) this.#credit();
  }

  #read({ bytes, format }: Arrived): readonly Content[] {
    const now = this.#options.now();
    if (format === BATCH_FORMAT) return readBatch(bytes, now).map((content) => content.identified());
    if (format === 0) return [Content.read(bytes, now).identified()];
    throw new BrokerError('amqp:not-implemented', `Message format ${format} is not supported`);
  }

  /** Nothing can be said of a delivery that the sender has settled: then the link says it. */
  #refuse({ deliveryId, settled }: Omit<Arrived, 'bytes'>, error: unknown): void {
    const { link, session } = this.#options;
    if (settled) link.close(amqpErrorOf(error));
    else session.received.reject(deliveryId, amqpErrorOf(error));
  }

  tooLarge(arrived: Omit<Arrived, 'bytes'>): void {
    const { path } = this.#options.target;
    const message = `The message exceeds the limit of ${this.maxMessageBytes} bytes currently allowed on ${path}`;
    this.#refuse(arrived, new BrokerError('amqp:link:message-size-exceeded', message));
  }

  flow({ echo }: FlowFields): void {
    if (echo) this.#options.link.issue_flow = true;
  }

  resume(): void {}

  closed(): void {
    this.#stopListening();
    this.#options.session.incoming.forget(this.#options.link);
  }

  #credit(): void {
    const { link } = this.#options;
    link.credit = CREDIT;
    link.issue_flow = true;
    link.connection._register();
  }
}
