import { connect } from '@polycast/core';
import type { LatencyDriver } from '@polycast/measure';
import { serviceBus } from '@polycast/service-bus';
import { connectionStringOf } from '../../service-bus/connection.ts';

export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const broadcaster = await connect({
      transport: serviceBus({ connectionString: connectionStringOf(url) }),
      topic,
      self: { role: 'till' },
    });
    return { publish: (data) => broadcaster.publish({ type: 'order.moved', data }), close: () => broadcaster.close() };
  },
  async openSubscriber({ url, topic }, _index, onPayload) {
    const broadcaster = await connect({
      transport: serviceBus({ connectionString: connectionStringOf(url) }),
      topic,
      self: { role: 'kitchen' },
    });
    await broadcaster.subscribe((event) => onPayload(event.data));
    return { close: () => broadcaster.close() };
  },
};
