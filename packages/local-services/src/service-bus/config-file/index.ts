export type { EntityDeclaration, ServiceBusConfig } from './declaration.ts';
export { declareEntities } from './declare.ts';
export { ConfigFileError } from './error.ts';
export { readConfig } from './read.ts';
