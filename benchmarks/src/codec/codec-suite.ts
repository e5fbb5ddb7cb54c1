import { type Sample, SpeedScale } from '../measurement/calibration.ts';
import { runAlone } from '../measurement/child.ts';
import { median, shuffled } from '../measurement/statistics.ts';
import { cellOf, type Goal, type Table, times } from '../measurement/table.ts';
import type { Suite } from '../suite.ts';
import { readWorkload } from '../workload.ts';

export interface CodecWorkload {
  readonly payloadBytes: readonly number[];
  readonly rounds: number;
  readonly samples: number;
  readonly sampleMs: number;
  readonly warmUpMs: number;
}

export interface CodecFigures {
  bytes: number;
  readonly both: Sample[];
  readonly encode: Sample[];
  readonly decode: Sample[];
}

const CONTENDERS = ['polycast', 'polycast-unread', 'json', 'json-prepared', 'cloudevents-sdk', 'limit-string-to-bytes'];

export const codecSuite: Suite = async ({ quick, only, rounds, progress }) => {
  const workload = readWorkload<CodecWorkload>('codec');
  const names = CONTENDERS.filter(
    (name) =>
      ['polycast', 'polycast-unread', 'json'].includes(name) ||
      only.length === 0 ||
      only.some((part) => name.includes(part)),
  );
  const scale = new SpeedScale();
  const all = new Map<string, CodecFigures>();
  const pairs = names.flatMap((name) => workload.payloadBytes.map((bytes) => ({ name, bytes })));
  const total = rounds ?? (quick ? 1 : workload.rounds);
  for (let round = 1; round <= total; round += 1) {
    for (const [at, { name, bytes }] of shuffled(pairs).entries()) {
      progress(`codec: round ${round} of ${total}, ${at + 1} of ${pairs.length}: ${name}, ${bytes} bytes`);
      const module = new URL('./codec-process.js', import.meta.url);
      const got = await runAlone<CodecFigures>(module, [name, String(bytes), JSON.stringify(workload)]);
      const figures = all.get(`${name} ${bytes}`) ?? { bytes: got.bytes, both: [], encode: [], decode: [] };
      for (const kind of ['both', 'encode', 'decode'] as const) {
        for (const sample of got[kind]) scale.see(sample.calibrationUs);
        figures[kind].push(...got[kind]);
      }
      all.set(`${name} ${bytes}`, figures);
    }
  }
  const rates = (name: string, bytes: number, kind: 'both' | 'encode' | 'decode') =>
    (all.get(`${name} ${bytes}`)?.[kind] ?? []).map((sample) => scale.rate(sample));
  const tables = workload.payloadBytes.map(
    (bytes): Table => ({
      title: `Codec, ${bytes} bytes of data: a CPU second`,
      columns: ['contender', 'encode + decode', 'encode', 'decode', 'bytes'],
      rows: [...names]
        .sort((a, b) => median(rates(b, bytes, 'both')) - median(rates(a, bytes, 'both')))
        .map((name) => [
          name,
          ...(['both', 'encode', 'decode'] as const).map((kind) =>
            cellOf(rates(name, bytes, kind), rates('json', bytes, kind)),
          ),
          String(all.get(`${name} ${bytes}`)!.bytes),
        ]),
      notes: [
        'Object to bytes and back, the data parsed, but for `polycast-unread`: there it waits until it is read. Ratios are to `json`; p10–p90 in brackets.',
      ],
    }),
  );
  const goal = (rival: string, least: number, ours = 'polycast'): Goal => {
    const ratio = median(rates(ours, 200, 'both')) / median(rates(rival, 200, 'both'));
    return { goal: `200 bytes: ${ours} at least ${least}× ${rival}`, measured: times(ratio), met: ratio >= least };
  };
  const goals = [goal('json', 1.2)];
  if (names.includes('json-prepared')) {
    goals.push(goal('json-prepared', 1.2), goal('json-prepared', 1.2, 'polycast-unread'));
  }
  if (names.includes('cloudevents-sdk')) goals.push(goal('cloudevents-sdk', 3));
  return { tables, goals, raw: Object.fromEntries(all) };
};
