#!/usr/bin/env node
import { type ErrorCode, PolycastError, redactUrl } from '@polycast/core';
import { HELP, readPlan, UsageError } from './plan.ts';
import { start } from './start.ts';

const UNREACHABLE: readonly ErrorCode[] = [
  'unreachable',
  'unauthorized',
  'protocol-mismatch',
  'disconnected',
  'timeout',
];
const CONFIGURATION: readonly ErrorCode[] = [
  'invalid-configuration',
  'invalid-topic',
  'unknown-transport',
  'transport-not-installed',
];

try {
  const plan = readPlan(process.argv.slice(2), process.env);
  if (plan === 'help') process.stdout.write(HELP);
  else {
    const running = await start(plan, (line) => process.stderr.write(`${line}\n`));
    process.stdout.write(`over ${redactUrl(plan.url)}, topic ${plan.topic}: ${running.instances.join(', ')}\n`);
    for (const page of running.pages) process.stdout.write(`open ${page}\n`);
    process.send?.('ready');
    // Polycast itself keeps no process alive, not even for what `close` waits for.
    const alive = setInterval(() => {}, 60_000);
    await untilStopped();
    await running.close();
    clearInterval(alive);
    if (process.connected) process.disconnect();
  }
} catch (thrown) {
  process.stderr.write(`${thrown instanceof UsageError ? `error: ${thrown.message} (see --help)` : String(thrown)}\n`);
  process.exitCode = exitCodeOf(thrown);
  // What started this process waits for a word of it, or its end.
  if (process.connected) process.disconnect();
}

/** Resolves on Ctrl-C, or when the process that started this one is gone. A second Ctrl-C ends at once. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    process.once('disconnect', resolve);
  });
}

function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof UsageError) return 2;
  if (!(thrown instanceof PolycastError)) return 1;
  if (CONFIGURATION.includes(thrown.code)) return 2;
  return UNREACHABLE.includes(thrown.code) ? 3 : 1;
}
