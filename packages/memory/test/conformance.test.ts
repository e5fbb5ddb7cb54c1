import { describeConformance } from '@polycast/conformance/vitest';
import { memory } from '@polycast/memory';

const inProcess = 'there is no service apart from this process, and no connection to lose';

describeConformance(
  'memory',
  () => ({
    name: 'memory',
    transport: () => memory({ hub: 'conformance' }),
    withoutFaults: {
      restart: inProcess,
      kill: inProcess,
      freeze: inProcess,
      cut: inProcess,
      abandon: inProcess,
      inject: 'events are handed over as objects: there is no wire for a foreign message to come from',
      residue: 'what a hub holds is checked by the tests of the package',
    },
  }),
  { mayLack: ['restart', 'kill', 'freeze', 'cut', 'abandon', 'inject', 'residue'] },
);
