/** What Service Bus evaluates of a filter. Needs nothing of its SDK, so that tools can load it alone. */
export { type CorrelationRule, serviceBusCorrelation } from './filter-target/service-bus-correlation.ts';
export { type ServiceBusSqlFilter, serviceBusSql } from './filter-target/service-bus-sql.ts';
