import type { Address } from '@polycast/core';
import { addressTarget, type FilterTarget } from '@polycast/core/filter';

/** SignalR Service: a group an address. @see https://learn.microsoft.com/azure/azure-signalr/signalr-reference-data-plane-rest-api */
export const signalrGroup: FilterTarget<readonly Address[]> = addressTarget(
  'signalr-group',
  'SignalR Service, groups',
  'group',
);
