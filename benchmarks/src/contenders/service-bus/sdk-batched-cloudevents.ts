import { sdkDriver } from '../../service-bus/sdk-driver.ts';

export const driver = sdkDriver('batched-cloudevents');
