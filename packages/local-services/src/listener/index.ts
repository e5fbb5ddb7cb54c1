export { type Listener, type ListenerOptions, openListener } from './listener.ts';
export type { Detection, StreamClient, StreamProtocol } from './protocol-detector.ts';
export { type SecureContextSource, TestAuthority } from './test-authority.ts';
export { binaryStreamOf, type WebSocketEndpoint } from './web-sockets.ts';
