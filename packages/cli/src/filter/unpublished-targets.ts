import { ably as ablyTarget } from '@polycast/ably/filter-target';
import type { FilterTarget } from '@polycast/core/filter';
import { eventGrid as eventGridTarget } from '@polycast/event-grid/filter-target';
import { signalrGroup as signalrTarget } from '@polycast/signalr/filter-target';

// Those packages are private until they hold a transport, so the build puts them into this file (rolldown.config.mjs). What it exports
// must not name their types.
export const ably: FilterTarget = ablyTarget;
export const eventGrid: FilterTarget = eventGridTarget;
export const signalrGroup: FilterTarget = signalrTarget;
