import type { ConformanceTarget, Need } from '@polycast/conformance';
import { connect } from '@polycast/core';
import { redactUrl } from '@polycast/core/configuration';
import { UsageError } from '../exit-code.ts';
import { readTransportUrl } from '../transport-url.ts';
import { harnessOf, packageOf, transportFromUrl, transportMaker } from '../transports.ts';

/** What no run may do to a server that others use, and how to have it tried all the same. */
const HANDS_OFF = 'not run on a server that the run did not start; `polycast conform --local` starts one';
const DISTURBING: readonly Need[] = ['restart', 'kill', 'freeze', 'throttle', 'trim'];
const PROBE_TOPIC = 'polycast-probe';

/**
 * What the conformance suite runs against: the harness of the adapter's package, or the bare transport if it brings none.
 * @param options.local start a service for the run, which may then be disturbed; else the URL's service is used and spared
 * @throws PolycastError `unreachable`, `unauthorized`, … when the service cannot be used. @throws UsageError
 */
export async function makeTarget(url: string, { local }: { local: boolean }): Promise<ConformanceTarget> {
  const harness = await harnessOf(url);
  // Locally a URL may name no more than the scheme: the harness knows the rest.
  if (harness === undefined || !local) await transportFromUrl(url);
  if (harness === undefined) {
    if (!local) return bareTarget(url);
    const name = await packageOf(url);
    throw new UsageError(`--local needs a harness, and ${name} exports no ${name}/conformance`);
  }
  const target = await harness({ url: readTransportUrl(url).url, local });
  const { manifest } = target.transport();
  const made = { ...target, name: manifest.transport, url: redactUrl(target.url ?? url) };
  return local ? made : { ...made, withoutFaults: { ...reasons(DISTURBING, HANDS_OFF), ...target.withoutFaults } };
}

async function bareTarget(url: string): Promise<ConformanceTarget> {
  const transport = await transportFromUrl(url);
  // Better one error that says why than hundreds of failed cases.
  await (await connect({ transport, topic: PROBE_TOPIC })).close();
  const none = `${await packageOf(url)} exports no harness: see docs/adding-an-adapter.md`;
  return {
    name: transport.manifest.transport,
    url: redactUrl(url),
    transport: await transportMaker(url),
    withoutFaults: reasons([...DISTURBING, 'cut', 'abandon', 'inject', 'residue'], none),
  };
}

function reasons(needs: readonly Need[], reason: string): Partial<Record<Need, string>> {
  return Object.fromEntries(needs.map((need) => [need, reason]));
}
