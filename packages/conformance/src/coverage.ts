import type { ConformanceCase } from './case.ts';
import type { Chapter } from './clause.ts';
import type { CaseResult } from './report.ts';

/** Which cases check a clause. */
export interface Coverage {
  readonly clause: string;
  readonly cases: readonly string[];
}

/** @returns one row a clause, in the order of the chapters */
export function coverage(chapters: readonly Chapter[], cases: readonly ConformanceCase[]): readonly Coverage[] {
  return chapters.flatMap(({ clauses }) =>
    clauses.map(({ id }) => ({
      clause: id,
      cases: cases.filter(({ clause }) => clause === id).map((one) => one.id),
    })),
  );
}

/** @returns the clauses as a document, each with the cases that check it */
export function clausesDocument(chapters: readonly Chapter[], cases: readonly ConformanceCase[]): string {
  const covered = new Map(coverage(chapters, cases).map((row) => [row.clause, row.cases]));
  const sections = chapters.map(({ name, about, clauses }) => {
    const sentences = clauses.flatMap(({ id, grade, text }) => {
      const ids = covered.get(id) ?? [];
      const by = ids.length === 0 ? 'Not covered.' : `Checked by ${ids.map((one) => `\`${one}\``).join(', ')}.`;
      return [`- **${id}** ${grade}. ${text}`, `  ${by}`];
    });
    return [`## ${name}`, '', about, '', ...sentences, ''].join('\n');
  });
  const table = chapters.map(({ name, clauses }) => {
    const bare = clauses.filter(({ id }) => (covered.get(id) ?? []).length === 0).map(({ id }) => id);
    const checks = clauses.reduce((sum, { id }) => sum + (covered.get(id)?.length ?? 0), 0);
    return [name, String(clauses.length), String(checks), bare.length === 0 ? 'none' : bare.join(', ')];
  });
  const count = chapters.reduce((sum, { clauses }) => sum + clauses.length, 0);
  return [
    '# The clauses',
    '',
    `The contract of Polycast in ${count} numbered sentences, and the ${cases.length} cases that check them. MUST, SHOULD and MAY are`,
    'meant as in RFC 2119. A clause concerns a transport as far as its manifest claims the capability it is about.',
    '',
    'This page is written from `src/clauses/` and `src/cases/`; a test fails when it is out of date.',
    '',
    ...tableOf(['chapter', 'clauses', 'cases', 'not covered'], table),
    '',
    ...sections,
  ].join('\n');
}

/** A Markdown table whose columns are aligned. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

/** @returns clauses whose cases all failed to run, with the reasons: what a report leaves open */
export function leftOpen(
  chapters: readonly Chapter[],
  results: readonly CaseResult[],
): readonly { readonly clause: string; readonly reasons: readonly string[] }[] {
  return chapters.flatMap(({ clauses }) =>
    clauses.flatMap(({ id }) => {
      const about = results.filter(({ clause }) => clause === id);
      if (about.some(({ status }) => status === 'passed' || status === 'failed')) return [];
      return [{ clause: id, reasons: [...new Set(about.map(({ reason }) => reason ?? 'no case'))] }];
    }),
  );
}
