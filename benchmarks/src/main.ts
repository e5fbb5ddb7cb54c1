import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { describeMachine } from '@polycast/measure';
import { codecSuite } from './codec/codec-suite.ts';
import { coreSuite } from './core/core-suite.ts';
import { filterSuite } from './filter/filter-suite.ts';
import { goalsMarkdown, markdownOf } from './measurement/table.ts';
import { installedVersions } from './measurement/versions.ts';
import { memorySuite } from './memory/memory-suite.ts';
import { localServiceBusSuite } from './service-bus/local-suite.ts';
import { serviceBusSuite } from './service-bus/service-bus-suite.ts';
import type { Suite } from './suite.ts';
import { redisSuite, streamsSuite } from './wire/wire-suite.ts';

const SUITES: Readonly<Record<string, Suite>> = {
  core: coreSuite,
  codec: codecSuite,
  filter: filterSuite,
  memory: memorySuite,
  redis: redisSuite,
  streams: streamsSuite,
  'service-bus': serviceBusSuite,
  'service-bus-local': localServiceBusSuite,
};

const USAGE = `Usage: pnpm --filter @polycast/benchmarks bench [options]

  --suite NAME    ${Object.keys(SUITES).join(', ')}; may be given several times (default: all)
  --quick         few and short rounds: a rough picture
  --only TEXT     only contenders whose name contains TEXT, beside ours and the reference; may be given several times
  --rounds N      instead of what the workload says
  --no-save       leave results/ as it is`;

const { values } = parseArgs({
  options: {
    suite: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    save: { type: 'boolean', default: true },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
});
const names = values.suite ?? Object.keys(SUITES);
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
const unknown = names.find((name) => SUITES[name] === undefined);
if (values.help || unknown !== undefined || (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))) {
  if (unknown !== undefined) console.error(`There is no suite ${unknown}.\n`);
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}

for (const name of names) {
  const startedMs = performance.now();
  const loadBefore = loadavg()[0]!;
  const result = await SUITES[name]!({ quick: values.quick, only: values.only, rounds, progress });
  progress('');
  const machine = describeMachine();
  const about = [
    `${new Date().toISOString().slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${process.version}`,
    values.quick
      ? 'quick: few rounds, rough figures'
      : `${Math.round((performance.now() - startedMs) / 60_000)} minutes`,
    `load of the machine when it began: ${loadBefore.toFixed(2)}`,
  ].join('; ');
  const text = [...result.tables.map(markdownOf), goalsMarkdown(result.goals)].join('\n');
  console.log(`\n${about}\n\n${text}`);
  if (!values.save || values.only.length > 0) continue;
  const folder = new URL('../results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const versions = installedVersions();
  const list = Object.entries(versions).map(([library, version]) => `${library} ${version}`);
  const page = `# ${name}\n\nWritten by the program: \`bench --suite ${name}\`.\n${about}.\n\n${text}\nVersions: ${list.join(', ')}.\n`;
  writeFileSync(new URL(`${name}.md`, folder), page);
  const data = {
    suite: name,
    measuredAt: new Date().toISOString(),
    quick: values.quick,
    machine,
    node: process.version,
    versions,
  };
  writeFileSync(
    new URL(`${name}.json`, folder),
    `${JSON.stringify({ ...data, goals: result.goals, raw: result.raw })}\n`,
  );
}

/** One line that the next one overwrites; where nobody watches, nothing. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`);
}
