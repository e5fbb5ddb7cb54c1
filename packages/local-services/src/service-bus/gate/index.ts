export { type Gate, type GateHandlers, type GateOptions, openGate } from './gate.ts';
export { type SecureContextSource, TestAuthority } from './test-authority.ts';
