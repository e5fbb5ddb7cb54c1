import { startServiceBus } from '@polycast/local-services/service-bus';
import { cpuUs } from '../measurement/calibration.ts';

/** The local service in a process of its own, so that its CPU time is told apart. Answers each message with its CPU time. */
const service = await startServiceBus();
process.on('message', () => process.send!(cpuUs()));
process.on('disconnect', () => process.exit());
process.send!(service.url);
