import { exceeded, type Quote, type QuoteRequest, type ServiceModel } from '../model.ts';
import { type Traffic, total } from '../traffic.ts';

const MEMORY_STEP_MIB = 128;
const SHORTEST_RUN_MS = 100;
const GIB_IN_MIB = 1_024;

/** @default for `services.functions.executionsPerPublish` */
export const DEFAULT_EXECUTIONS_PER_PUBLISH = 1;
/** @default for `services.functions.memoryMb` */
export const DEFAULT_MEMORY_MB = 128;
/** @default for `services.functions.durationMs` */
export const DEFAULT_DURATION_MS = 100;

/**
 * Azure Functions: the code around a transport, not a transport. Executions, and memory (in steps of 128 MB) times the
 * time it was held (at least 100 ms).
 * @see https://learn.microsoft.com/azure/azure-functions/functions-consumption-costs
 */
export const functions: ServiceModel = {
  service: 'functions',
  units: ['executions', 'gbSeconds'],
  count(traffic) {
    const executions = total([traffic.events, traffic.presence], (flow) => flow.events + flow.duplicates);
    const { executionsPerPublish, memoryMb, durationMs } = settings(traffic);
    const runs = executions * executionsPerPublish;
    return { executions: runs, gbSeconds: runs * gbSeconds(roundUp(memoryMb), Math.max(durationMs, SHORTEST_RUN_MS)) };
  },
  quote(request) {
    if (request.tier.id === 'consumption') return consumption(request);
    return request.tier.id === 'flex' ? flex(request) : premium(request);
  },
};

function consumption({ tier, use, sizing }: QuoteRequest): Quote {
  const { memoryMb, durationMs } = settings(sizing.traffic);
  const tooMuch = exceeded(tier.title, [
    ['MB of memory', memoryMb, tier.limits.memoryMiB],
    ['ms an execution', durationMs, tier.limits.durationMs],
  ]);
  if (tooMuch) return tooMuch;
  return {
    possible: true,
    billedUnits: use.units,
    charges: [
      { price: 'consumption-executions', quantity: use.units.executions! },
      { price: 'consumption-time', quantity: use.units.gbSeconds! },
    ],
    notes: ['The free grant is shared by a whole Azure subscription'],
  };
}

/** An instance of fixed size runs one execution at a time here: the dearest reading of "time an instance is active". */
function flex({ tier, size, use, sizing }: QuoteRequest): Quote {
  const { memoryMb, durationMs } = settings(sizing.traffic);
  const { memoryMiB } = size!.limits;
  const tooMuch = exceeded(tier.title, [['MB of memory', memoryMb, memoryMiB]]);
  if (tooMuch) return tooMuch;
  const executions = use.units.executions!;
  const time = executions * gbSeconds(memoryMiB!, Math.max(durationMs, tier.limits.minDurationMs!));
  return {
    possible: true,
    size: size!.id,
    billedUnits: { executions, gbSeconds: time },
    charges: [
      { price: 'flex-executions', quantity: executions },
      { price: 'flex-time', quantity: time },
    ],
    notes: ['Assumes one execution at a time per instance: concurrent executions cost less'],
  };
}

/** As many instances as hold the memory of what runs at once at the busiest moment. */
function premium({ tier, size, use, sizing }: QuoteRequest): Quote {
  const { traffic } = sizing;
  const { executionsPerPublish, memoryMb, durationMs } = settings(traffic);
  const { memoryMiB } = size!.limits;
  const atOnce = Math.max(1, (traffic.peakPerSecond * executionsPerPublish * durationMs) / 1_000);
  const instances = Math.ceil((atOnce * memoryMb) / memoryMiB!);
  const tooMuch = exceeded(tier.title, [
    ['MB of memory', memoryMb, memoryMiB],
    ['instances', instances, tier.limits.instances],
  ]);
  if (tooMuch) return tooMuch;
  return {
    possible: true,
    size: instances === 1 ? size!.id : `${instances} × ${size!.id}`,
    billedUnits: { ...use.units, instanceMonths: instances },
    charges: [{ price: size!.price, quantity: instances }],
    notes: ['Instances are chosen by the memory of concurrent executions, not by processor use'],
  };
}

function settings({ workload }: Traffic) {
  const options = workload.services.functions;
  return {
    executionsPerPublish: options?.executionsPerPublish ?? DEFAULT_EXECUTIONS_PER_PUBLISH,
    memoryMb: options?.memoryMb ?? DEFAULT_MEMORY_MB,
    durationMs: options?.durationMs ?? DEFAULT_DURATION_MS,
  };
}

function gbSeconds(memoryMb: number, durationMs: number): number {
  return (memoryMb * durationMs) / (GIB_IN_MIB * 1_000);
}

function roundUp(memoryMb: number): number {
  return Math.ceil(memoryMb / MEMORY_STEP_MIB) * MEMORY_STEP_MIB;
}
