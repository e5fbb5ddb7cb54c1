export { type Gate, type GateHandlers, type GateOptions, openGate } from './listener.ts';
export { type SecureContextSource, TestAuthority } from './test-authority.ts';
