import type { LatencyResult, LinkShape } from '@polycast/measure';
import { type Choice, urlOf } from '../choice.ts';
import { defineCommand } from '../command.ts';
import { EXIT, Interrupted, UsageError } from '../exit-code.ts';
import { measure } from '../measuring.ts';
import { JSON_HELP, writeJson } from '../output/json-file.ts';
import { latencyTable } from '../output/latency-table.ts';
import { startProgress } from '../output/progress.ts';
import type { Terminal } from '../output/terminal.ts';
import { number } from '../parse-option.ts';

interface Options extends Choice {
  rate: number;
  duration: number;
  warmUp?: number;
  payload: number;
  subscribers: number;
  throughput?: number;
  delay?: number;
  jitter?: number;
  loss?: number;
  bandwidth?: number;
  json?: string;
}

export default defineCommand<Options>({
  examples: [
    ['polycast bench --url memory:', '1,000 events per second for 10 s'],
    [
      'polycast bench --url redis://cache:6379 --rate 5000 --duration 60 --subscribers 10',
      'a higher rate, longer, with more subscribers',
    ],
    ['polycast bench --url redis://localhost --delay 20 --loss 0.001', 'as if the server were far away'],
    ['polycast bench --url redis://localhost --json latency.json', 'with percentile curves'],
  ],

  declare(command) {
    command
      .option('-u, --url <url>', 'transport to measure (default: POLYCAST_URL)')
      .option(
        '--rate <n>',
        'events per second, sent at a fixed rate (open loop)',
        number({ min: 0.1, max: 1e6 }),
        1_000,
      )
      .option('--duration <s>', 'seconds to measure', number({ min: 0.1, max: 86_400 }), 10)
      .option(
        '--warm-up <s>',
        'seconds of warm-up, not measured (default: a quarter of the duration, at most 3)',
        number({ min: 0, max: 3_600 }),
      )
      .option(
        '--payload <bytes>',
        'length of the JSON data, minimum 64',
        number({ min: 64, max: 1e8, whole: true }),
        200,
      )
      .option(
        '--subscribers <n>',
        'number of subscribers; each receives every event',
        number({ min: 1, max: 10_000, whole: true }),
        1,
      )
      .option(
        '--throughput <s>',
        'duration of the closed-loop throughput measurement, s; 0: none (default: 2)',
        number({ min: 0, max: 3_600 }),
      )
      .option('--delay <ms>', 'route the traffic over a link with this one-way delay', number({ min: 0, max: 60_000 }))
      .option('--jitter <ms>', 'random part added to the delay', number({ min: 0, max: 60_000 }))
      .option('--loss <share>', 'share of segments the link loses, 0 to 1', number({ min: 0, max: 0.99 }))
      .option('--bandwidth <bytes>', 'bandwidth of the link in bytes per second, in each direction', number({ min: 1 }))
      .option('--json <file>', JSON_HELP);
  },

  async run(_args, options, terminal) {
    const url = urlOf(options, terminal);
    const progress = startProgress(terminal);
    try {
      const shaped = linkShape(options);
      const result = await measure(
        url,
        {
          rate: options.rate,
          durationS: options.duration,
          payloadBytes: options.payload,
          subscribers: options.subscribers,
          ...(options.warmUp !== undefined && { warmUpS: options.warmUp }),
          ...(options.throughput !== undefined && { throughputS: options.throughput }),
          ...(shaped !== undefined && { shaped }),
        },
        terminal,
        progress.task('latency', 100),
      );
      progress.stop();
      if (options.json !== '-') show(result, terminal);
      if (options.json !== undefined) await writeJson(options.json, result, terminal);
      return result.lost > 0 || result.failed > 0 ? EXIT.failed : EXIT.ok;
    } catch (error) {
      if (terminal.interrupted.aborted) throw new Interrupted();
      if (error instanceof TypeError) throw new UsageError(error.message, { cause: error });
      throw error;
    } finally {
      progress.stop();
    }
  },
});

function linkShape({ delay, jitter, loss, bandwidth }: Options): LinkShape | undefined {
  const shape: LinkShape = {
    ...(delay !== undefined && { delayMs: delay }),
    ...(jitter !== undefined && { jitterMs: jitter }),
    ...(loss !== undefined && { lossRate: loss }),
    ...(bandwidth !== undefined && { bytesPerSecond: bandwidth }),
  };
  return Object.keys(shape).length > 0 ? shape : undefined;
}

function show(result: LatencyResult, terminal: Terminal): void {
  const { setting, roundTrips, firstError, failed, sent } = result;
  terminal.stdout.write(latencyTable([{ name: setting.url, result }], terminal));
  if (roundTrips !== undefined) {
    terminal.stdout.write(
      `round trips of the link: publish ${roundTrips.publish}, end to end ${roundTrips.endToEnd}\n`,
    );
  }
  if (failed > 0)
    terminal.stdout.write(`${failed} of ${sent} were rejected, the first with: ${firstError ?? 'nothing'}\n`);
}
