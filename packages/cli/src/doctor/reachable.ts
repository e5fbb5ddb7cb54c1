import { SCHEMES } from '@polycast/catalogue';
import { connect, PolycastError, type Signal } from '@polycast/core';
import { configuredUrl, resolveTransport } from '@polycast/core/configuration';
import { readingUrl } from '../choice.ts';
import { adviceFor } from '../output/failure.ts';
import { showMs } from '../output/numbers.ts';
import { hideSecrets } from '../output/secrets.ts';
import { transportFromUrl } from '../transports.ts';
import type { Finding } from './finding.ts';

/** Something to connect to: a URL, or an entry of the configuration file. */
export type Target = { readonly name: string } & ({ readonly url: string } | { readonly entry: string });

/** Maximum wait for one connection, ms. */
const TIMEOUT_MS = 10_000;

/** Connects to each, creates and asks for nothing, and says how long it took. */
export function checkReachable(targets: readonly Target[], secrets?: readonly string[]): Promise<readonly Finding[]> {
  return Promise.all(targets.map((target) => ping(target, secrets)));
}

async function ping(target: Target, secrets: readonly string[] | undefined): Promise<Finding> {
  const what = target.name;
  const startedAt = performance.now();
  try {
    const { title, remark } = await within(TIMEOUT_MS, visit(target));
    return {
      what,
      status: 'ok',
      detail: `${title} in ${showMs(performance.now() - startedAt)}`,
      ...(remark !== undefined && { advice: hideSecrets(remark, secrets) }),
    };
  } catch (thrown) {
    const error = PolycastError.from(thrown);
    const advice = adviceFor(error.code);
    return {
      what,
      status: 'problem',
      detail: hideSecrets(error.message, secrets),
      ...(advice !== undefined && { advice }),
    };
  }
}

/** @returns what it is, and what it signals about itself when it is connected to, such as an SDK that it does not know */
async function visit(target: Target): Promise<{ readonly title: string; readonly remark: string | undefined }> {
  const url = 'url' in target ? target.url : await configuredUrl(target.entry);
  const transport =
    url === undefined
      ? await resolveTransport({ name: target.name, schemes: SCHEMES })
      : await transportFromUrl(readingUrl(url, 'nothing'));
  let remark: string | undefined;
  const onSignal = (signal: Signal) => {
    if (signal.kind === 'failed') remark ??= signal.error.message;
  };
  try {
    const broadcaster = await connect({ transport, topic: 'polycast-doctor', self: { role: 'doctor' }, onSignal });
    await broadcaster.close({ drainMs: 0 });
  } catch (error) {
    // Nothing is created to look: a service that answers that there is no such topic has let us in.
    if (!(error instanceof PolycastError) || error.code !== 'not-found') throw error;
  }
  return { title: transport.manifest.title, remark };
}

async function within<Value>(limitMs: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new PolycastError('unreachable', `no answer within ${limitMs / 1_000} s`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
