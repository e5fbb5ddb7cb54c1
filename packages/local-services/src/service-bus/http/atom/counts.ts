import type { Element } from '@xmldom/xmldom';
import type { MessageCounts } from '../../broker/descriptions.ts';
import { COUNTS } from '../xml/namespaces.ts';
import { add, declare } from '../xml/write.ts';

/** The prefix is declared at CountDetails itself: clients look for it there, and expect nothing else beside it. */
const PREFIX = 'd2p1';

export const totalOf = (counts: MessageCounts): number =>
  counts.active + counts.deadLettered + counts.scheduled + counts.transfer + counts.transferDeadLettered;

export function writeCounts(counts: MessageCounts): (parent: Element) => void {
  return (parent) => {
    const details = add(parent, 'CountDetails');
    declare(details, PREFIX, COUNTS);
    const count = (name: string, value: number) => add(details, `${PREFIX}:${name}`, String(value), COUNTS);
    count('ActiveMessageCount', counts.active);
    count('DeadLetterMessageCount', counts.deadLettered);
    count('ScheduledMessageCount', counts.scheduled);
    count('TransferMessageCount', counts.transfer);
    count('TransferDeadLetterMessageCount', counts.transferDeadLettered);
  };
}
