import type { MemoryContender } from '../../memory/contender.ts';

/** The wall: a map, an array and a loop. No isolation, no contract. */
export const contender: MemoryContender = {
  awaited: false,
  async open(subscribers, onEvent) {
    const topics = new Map<string, ((data: unknown) => void)[]>();
    topics.set(
      'orders',
      Array.from({ length: subscribers }, () => (data: unknown) => onEvent(data)),
    );
    return {
      publish(data) {
        for (const listener of topics.get('orders')!) listener(data);
      },
    };
  },
};
