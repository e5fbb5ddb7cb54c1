import { type Frame, hasMore } from './frame-reader.ts';
import { ENTRY } from './ledger.ts';

/** Says whether a frame is the one. Made anew for every use, as some remember what passed before. */
export type Stage = () => (frame: Frame) => boolean;

/** Of every connection, in order. */
export const opening: Readonly<Record<string, Stage>> = {
  'protocol header': () => (frame) => frame.way === 'down' && frame.performative === 'header',
  'open asked': () => (frame) => frame.way === 'up' && frame.performative === 'open',
  'open answered': () => (frame) => frame.way === 'down' && frame.performative === 'open',
  'CBS attached': () => (frame) => frame.way === 'down' && frame.performative === 'attach' && frame.says('$cbs'),
  'token sent': () => (frame) => frame.way === 'up' && frame.performative === 'transfer' && frame.says('put-token'),
  'token answered': () => (frame) =>
    frame.way === 'down' && frame.performative === 'transfer' && frame.says('status-code'),
};

/** Of a link that sends to a topic. */
export const sending: Readonly<Record<string, Stage>> = {
  'sender asked': () => (frame) => frame.way === 'up' && isSender(frame),
  'sender attached': () => (frame) => frame.way === 'down' && isSender(frame),
};

/** Of a link that reads from a subscription. */
export const receiving: Readonly<Record<string, Stage>> = {
  'receiver asked': () => (frame) => frame.way === 'up' && isReceiver(frame),
  'receiver attached': () => (frame) => frame.way === 'down' && isReceiver(frame),
};

/** Of an event that is published. Its settlement is the service's word that it has it. */
export const publishing: Readonly<Record<string, Stage>> = {
  'first frame of the event': () => (frame) => frame.way === 'up' && isEntry(frame),
  'a later frame of the event': () => laterFrame('up'),
  'its confirmation': () => afterEntry('up', (frame) => frame.way === 'down' && frame.performative === 'disposition'),
};

/** Of an event that is delivered. Its settlement is our word that it was handled, which the service confirms. */
export const delivering: Readonly<Record<string, Stage>> = {
  'first frame of the event': () => (frame) => frame.way === 'down' && isEntry(frame),
  'a later frame of the event': () => laterFrame('down'),
  'its settlement': () => afterEntry('down', (frame) => frame.way === 'up' && frame.performative === 'disposition'),
  'the answer to its settlement': () =>
    afterEntry('down', (frame) => frame.way === 'down' && frame.performative === 'disposition'),
};

const isLink = (frame: Frame) => frame.performative === 'attach' && !frame.says('$cbs') && !frame.says('$management');
const isSender = (frame: Frame) => isLink(frame) && !frame.says('/Subscriptions/');
const isReceiver = (frame: Frame) => isLink(frame) && frame.says('/Subscriptions/');
/** An event on its way to a subscriber. */
export const isDelivery = (frame: Frame) => frame.way === 'down' && isEntry(frame);
const isEntry = (frame: Frame) => frame.performative === 'transfer' && frame.says(ENTRY);

function laterFrame(way: 'up' | 'down'): (frame: Frame) => boolean {
  let began = false;
  return (frame) => {
    if (began && frame.way === way && frame.performative === 'transfer') return true;
    began ||= frame.way === way && isEntry(frame) && hasMore(frame);
    return false;
  };
}

function afterEntry(way: 'up' | 'down', fits: (frame: Frame) => boolean): (frame: Frame) => boolean {
  let passed = false;
  return (frame) => {
    if (passed && fits(frame)) return true;
    passed ||= frame.way === way && isEntry(frame);
    return false;
  };
}
