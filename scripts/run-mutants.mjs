// Runs each mutant's test, all in one process of vitest, and leaves what came of them as JSON.
// Usage: POLYCAST_MUTANTS=<mutants.json> node run-mutants.mjs <report.json>. Who changes what is in vitest.config.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createVitest } from 'vitest/node';

const root = fileURLToPath(new URL('..', import.meta.url));
const mutants = JSON.parse(readFileSync(process.env.POLYCAST_MUTANTS, 'utf8'));
const vitest = await createVitest('test', { root, watch: false, reporters: [{}] });
const specifications = mutants.map(({ name, caughtBy: { project, file, test } }) =>
  vitest
    .getProjectByName(name)
    .createSpecification(join(root, 'packages', project, file), { testNamePattern: new RegExp(`^${escaped(test)}$`) }),
);
const { testModules } = await vitest.runTestSpecifications(specifications);
const reports = testModules.map((module) => ({
  mutant: module.project.name,
  errors: module.errors().map(textOf),
  outcomes: [...module.children.allTests()].map((test) => ({
    test: nameOf(test),
    status: test.result().state,
    errors: (test.result().errors ?? []).map(textOf),
  })),
}));
writeFileSync(process.argv[2], JSON.stringify(reports));
await vitest.close();

function textOf({ stack, message }) {
  return stack || message;
}

/** As vitest's pattern sees it: the groups around it first, with a space between. */
function nameOf({ name, parent }) {
  return parent.type === 'suite' ? `${nameOf(parent)} ${name}` : name;
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
