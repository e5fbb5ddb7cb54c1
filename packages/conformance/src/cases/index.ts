import type { ConformanceCase } from '../case.ts';
import { addressingCases } from './addressing.ts';
import { besideGroupCases } from './beside-groups.ts';
import { dedupeCases } from './dedupe.ts';
import { durableCases } from './durable.ts';
import { faultCases } from './faults.ts';
import { filterCases } from './filter.ts';
import { groupCases } from './groups.ts';
import { historyCases } from './history.ts';
import { hostileCases } from './hostile.ts';
import { lifecycleCases } from './lifecycle.ts';
import { limitCases } from './limits.ts';
import { memberCases } from './members.ts';
import { nativeCases } from './native.ts';
import { orderCases } from './order.ts';
import { payloadCases } from './payloads.ts';
import { publishCases } from './publish.ts';
import { requestCases } from './request.ts';
import { settlementCases } from './settlement.ts';
import { signalCases } from './signals.ts';
import { subscribeCases } from './subscribe.ts';
import { ttlCases } from './ttl.ts';

/** Every case, in the order of the chapters. */
export const CASES: readonly ConformanceCase[] = [
  ...addressingCases,
  ...publishCases,
  ...subscribeCases,
  ...filterCases,
  ...groupCases,
  ...besideGroupCases,
  ...settlementCases,
  ...orderCases,
  ...ttlCases,
  ...payloadCases,
  ...dedupeCases,
  ...requestCases,
  ...memberCases,
  ...durableCases,
  ...signalCases,
  ...faultCases,
  ...hostileCases,
  ...lifecycleCases,
  ...limitCases,
  ...nativeCases,
  ...historyCases,
];
