import { PolycastError } from '@polycast/core';
import { readConfiguration, redactUrl } from '@polycast/core/configuration';
import { hideSecrets } from '../output/secrets.ts';
import type { Terminal } from '../output/terminal.ts';
import { readTransportUrl } from '../transport-url.ts';
import type { Finding } from './finding.ts';
import type { Target } from './reachable.ts';

/** What the environment and the configuration file say, and what can therefore be tried to reach. */
export async function checkConfiguration(
  terminal: Terminal,
): Promise<{ readonly findings: readonly Finding[]; readonly targets: readonly Target[] }> {
  const findings: Finding[] = [];
  const targets: Target[] = [];
  for (const name of ['POLYCAST_URL', 'POLYCAST_REDIS_URL']) {
    const url = terminal.env[name];
    if (!url) {
      findings.push({ what: name, status: 'absent', detail: 'not set' });
      continue;
    }
    try {
      readTransportUrl(url);
      findings.push({ what: name, status: 'ok', detail: redactUrl(url) });
      targets.push({ name, url });
    } catch (error) {
      findings.push({
        what: name,
        status: 'problem',
        detail: hideSecrets(PolycastError.from(error).message, terminal.secrets),
      });
    }
  }
  try {
    const found = await readConfiguration();
    if (found === undefined) {
      findings.push({
        what: 'polycast.config',
        status: 'absent',
        detail: 'none here or above',
        advice: '`polycast init` writes one',
      });
      return { findings, targets };
    }
    const names = Object.keys(found.config.transports);
    const standard = found.config.default === undefined ? 'no default' : `default ${found.config.default}`;
    findings.push({ what: found.file, status: 'ok', detail: `${names.join(', ') || 'no transport'} (${standard})` });
    targets.push(...names.map((name) => ({ name, entry: name })));
  } catch (error) {
    const message = hideSecrets(PolycastError.from(error).message, terminal.secrets);
    findings.push({
      what: 'polycast.config',
      status: 'problem',
      detail: message,
      advice: 'correct it, or replace it with `polycast init --force`',
    });
  }
  return { findings, targets };
}
