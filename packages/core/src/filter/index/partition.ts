import type { AccessKey, AccessKind } from './access.ts';
import { AffixPartition } from './affix-partition.ts';
import type { Match } from './match.ts';
import type { Node } from './node.ts';
import { PiecePartition } from './piece-partition.ts';
import { RangePartition } from './range-partition.ts';
import { SpanPartition } from './span-partition.ts';
import type { Choice } from './split.ts';
import { TextPartition } from './text-partition.ts';
import { ThresholdPartition } from './threshold-partition.ts';

/** The children of a node for one attribute: an event visits those that its value leads to. */
export interface Partition<Id, Key extends AccessKey = AccessKey> {
  readonly kind: AccessKind;
  readonly attribute: string;
  readonly owner: Node<Id>;
  collect(match: Match<Id>): void;
  /** Makes it if need be. */
  child(key: Key): Node<Id>;
  /** Forgets an empty child, and with the last of them itself. */
  drop(key: Key): void;
}

export function makePartition<Id>({ kind, attribute }: Choice, owner: Node<Id>): Partition<Id> {
  switch (kind) {
    case 'text':
      return new TextPartition(attribute, owner);
    case 'range':
      return new RangePartition(attribute, owner);
    case 'span':
      return new SpanPartition(attribute, owner);
    case 'prefix':
    case 'suffix':
      return new AffixPartition(kind, attribute, owner);
    case 'piece':
      return new PiecePartition(attribute, owner);
    case 'at-least':
    case 'at-most':
      return new ThresholdPartition(kind, attribute, owner);
  }
}
