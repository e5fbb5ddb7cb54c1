import { Subject } from 'rxjs';
import type { MemoryContender } from '../../memory/contender.ts';

export const contender: MemoryContender = {
  awaited: false,
  async open(subscribers, onEvent) {
    const subject = new Subject<unknown>();
    for (let at = 0; at < subscribers; at += 1) subject.subscribe((data) => onEvent(data));
    return { publish: (data) => subject.next(data) };
  },
};
