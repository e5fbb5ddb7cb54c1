export { ConfigFileError } from '../../config-file/error.ts';
export type { EntityDeclaration, ServiceBusConfig } from './declaration.ts';
export { declareEntities } from './declare.ts';
export { readConfig } from './read.ts';
