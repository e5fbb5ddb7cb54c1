import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startServiceBus } from '../../src/service-bus/index.ts';
import { Content } from '../../src/service-bus/message/index.ts';

const page = readFileSync(new URL('../../src/service-bus/DEVIATIONS.md', import.meta.url), 'utf8');
const TESTS = fileURLToPath(new URL('.', import.meta.url));

interface Line {
  readonly topic: string;
  readonly cells: readonly string[];
  readonly held: readonly { readonly file: string; readonly title: string }[];
}

const lines: readonly Line[] = page.split(/^## /m).flatMap((section) => {
  const [topic = '', ...rest] = section.split('\n');
  const rows = rest.filter((line) => line.startsWith('|'));
  // The head of the table, and the rule below it.
  return rows.slice(2).map((row) => {
    const cells = row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    const held = [...(cells[3] ?? '').matchAll(/`([^`]+)` “([^”]+)”/g)];
    return { topic, cells, held: held.map(([, file, title]) => ({ file: file!, title: title! })) };
  });
});

/** Titles of the tests in a file, as they are written there; not of those that are skipped. */
function titlesIn(source: string): Set<string> {
  const calls = source.matchAll(/(?:\b(?:it|test)|\))\(\s*(['"`])((?:(?!\1).)+)\1,\s*(?:async\s*)?\(/g);
  return new Set(Array.from(calls, ([, , title]) => title!));
}

describe('DEVIATIONS.md', () => {
  it('has a table for each topic', () => {
    expect([...new Set(lines.map(({ topic }) => topic))]).toEqual([
      'AMQP',
      'Entities and messages',
      'Rules',
      'Administration and HTTP',
      'Authorization',
      'Start file',
    ]);
  });

  it.each(lines)('says what, where, why and by which test: $cells.0', ({ topic, cells, held }) => {
    expect(cells).toHaveLength(4);
    for (const cell of cells) expect(cell).toMatch(/\S/);
    expect(held).not.toEqual([]);
    for (const { file, title } of held) {
      expect(existsSync(TESTS + file), file).toBe(true);
      expect(titlesIn(readFileSync(TESTS + file, 'utf8')), file).toContain(title);
    }
    if (topic !== 'AMQP') return;
    // By both clients, or it says why by one.
    const files = held.map(({ file }) => file);
    expect(files).toContain('amqp/proton.test.ts');
    expect(files.some((file) => file.includes('vendor')) || /\(one client: .+\)$/.test(cells[3]!)).toBe(true);
  });

  it('finds no title that is not there, or whose test is skipped', () => {
    const source = "it('is there', async () => {});\nit.skip('is skipped', () => {});\n// it is not there\n";
    expect([...titlesIn(source)]).toEqual(['is there']);
  });
});

it('a service begins empty, whatever was in the one before', async () => {
  const config = { UserConfig: { Namespaces: [{ Queues: [{ Name: 'q' }] }] } };
  const first = await startServiceBus({ config });
  first.broker.target('q').send([Content.build({ body: Buffer.from('x') })]);
  expect(first.counts()).toMatchObject({ entities: 1, activeMessages: 1 });
  const { port } = first;
  await first.stop();
  await using second = await startServiceBus({ config, port });
  expect(second.counts()).toMatchObject({ entities: 1, activeMessages: 0 });
});
