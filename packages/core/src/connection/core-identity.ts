/**
 * This copy of core. Two copies in one process (two versions, or one bundled into an adapter) have two, and their events and errors do
 * not know one another: `connect` refuses a transport that was made with another copy.
 */
export const CORE: object = Object.freeze({ package: '@polycast/core' });
