import { PolycastError, type Transport } from '@polycast/core';
import type { BreakableService } from '@polycast/local-services';
import type { ConformanceTarget, Faults, Need, Remote } from '../target.ts';
import { Participants } from './participants.ts';

const PROBE_TOPIC = 'polycast-probe';

/** Looks at the service, and writes to it as a stranger would, on connections of its own. */
export interface ServiceAccess {
  /** See `ConformanceTarget.residue`. */
  residue(topic: string): Promise<readonly string[]>;
  /** See `ConformanceTarget.inject`. */
  inject?(topic: string, bytes: Uint8Array): Promise<void>;
  /** Removes topics, and their dead letters, with all that the service keeps of them. */
  remove?(topics: ReadonlySet<string>): Promise<void>;
  /** Lets go of its connections, so that a service that ends does not break them: these would look like what a case left behind. The next call makes others. */
  rest?(): Promise<void>;
}

export interface TargetParts {
  /** Where the participants connect to. */
  readonly url: string;
  /** A fresh transport each time, to the same service. */
  transport(): Transport;
  /** @default the name of the transport, as its manifest has it */
  readonly name?: string;
  /** Left out: what the service holds cannot be seen, and is not tidied up. */
  readonly access?: ServiceAccess;
  /** A service that was started for the run, which may be broken. Left out: it is others', and only connections of the run may be broken. */
  readonly service?: BreakableService;
  /** What can be done to the service beyond `BreakableService`, or is done in another way. */
  readonly faults?: Faults;
  /** See `ConformanceTarget.withoutFaults`. */
  readonly withoutFaults?: Partial<Readonly<Record<Need, string>>>;
  /** See `ConformanceTarget.remote`. */
  readonly remote?: Remote;
}

/**
 * What the suite runs against, of the parts that an adapter has: participants whose connections can be broken, the faults of a service that was
 * started, a look at a service of others before it is used, and tidying up.
 * @throws PolycastError (a rejection) when the service of others cannot be used: better one error that says why than hundreds of failed cases
 */
export async function buildTarget(parts: TargetParts): Promise<ConformanceTarget> {
  const { access, service, remote } = parts;
  const { manifest } = parts.transport();
  const participants = new Participants(() => parts.transport());
  const rest = async () => access?.rest?.();
  // Within a process there is no service to be refused by, and no connection.
  const isWired = manifest.via !== 'process';
  const refused = isWired && service === undefined ? await probe(participants, access) : undefined;
  const withoutFaults = { ...parts.withoutFaults, ...(refused === undefined ? {} : { residue: refused }) };
  return {
    name: parts.name ?? manifest.transport,
    url: parts.url,
    transport: () => participants.make(),
    faults: {
      ...(isWired && {
        cut: () => participants.cut(),
        abandon: (transport: Transport) => participants.abandon(transport),
      }),
      ...(service && faultsOf(service, rest)),
      ...parts.faults,
    },
    withoutFaults,
    ...(access && refused === undefined && { residue: (topic: string) => access.residue(topic) }),
    ...(access?.inject && { inject: access.inject.bind(access) }),
    ...(access?.remove && { forget: async (topic: string) => access.remove?.(new Set([topic])) }),
    ...(remote && { remote }),
    async dispose() {
      // Who may not manage leaves topics as they were.
      if (service === undefined) await access?.remove?.(participants.topics).catch(() => {});
      await rest();
      await service?.stop();
    },
  };
}

/** @returns why the service may not be looked at; undefined if it may. @throws what opening a transport throws */
async function probe(participants: Participants, access: ServiceAccess | undefined): Promise<string | undefined> {
  const link = await participants.make().open({
    topic: PROBE_TOPIC,
    self: { role: 'probe', instance: 'probe' },
    signal: () => {},
    meter: () => {},
  });
  await link.close();
  return access?.residue(PROBE_TOPIC).then(
    () => undefined,
    (error: Error) => `the service refuses inspection: ${error.message}`,
  );
}

function faultsOf(service: BreakableService, rest: () => Promise<void>): Faults {
  const rested = (fault: () => Promise<void>) => async () => {
    await rest();
    await fault();
  };
  return {
    restart: rested(() => service.restart()),
    kill: rested(() => service.kill()),
    start: rested(() => service.start()),
    freeze: rested(() => service.freeze()),
    thaw: rested(() => service.thaw()),
    cut: rested(() => service.cut()),
  };
}

/**
 * What starts a service for a run, which may not be installed: `localServices(() => import('@polycast/local-services'))`.
 * @throws PolycastError (a rejection) `invalid-configuration`
 */
export async function localServices<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const message = 'a local run needs the package @polycast/local-services';
    throw new PolycastError('invalid-configuration', message, { cause });
  }
}
