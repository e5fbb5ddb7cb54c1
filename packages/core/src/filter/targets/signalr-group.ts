import { addressTarget } from './addresses.ts';

/** SignalR Service: a group an address. @see https://learn.microsoft.com/azure/azure-signalr/signalr-reference-data-plane-rest-api */
export const signalrGroup = addressTarget('signalr-group', 'SignalR Service, groups', 'group');
