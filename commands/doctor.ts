/** `evstore doctor`: diagnoses the store, the database account and the settings. */

import { findConfig } from '../src/config/find-config.js';
import { findCopies } from '../src/config/find-copies.js';
import { isEvstoreError } from '../src/domain/errors.js';
import { count } from '../src/domain/words.js';
import { unreadFinding } from '../src/findings/check.js';
import { allChecks } from '../src/findings/checks.js';
import { examineStore, type StoreExamination } from '../src/findings/examine.js';
import { listSagas } from '../src/saga/health.js';
import { restoreInstances } from '../src/saga/restore.js';
import { redactUrl } from '../src/store/redact-url.js';
import { type FixablePart, fixableParts } from '../src/store/schema-admin.js';
import type { Fact } from '../src/store/store.js';
import { readVersion } from '../src/terminal/version.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { oneOf } from './options/parse-option.js';
import { describeVerdict, failOnFindings, printFindings } from './support/print-findings.js';

export const command: Command = {
  usage: 'doctor',
  writes: 'nothing; with --fix the part that is named',
  examples: [
    { line: 'evstore doctor', purpose: 'exit 1 if something must be fixed' },
    { line: 'evstore doctor --ci', purpose: 'exit 1 on warnings, too' },
    { line: 'evstore doctor -v', purpose: 'also list the checks that passed, and facts about the store' },
    { line: 'evstore doctor --for run', purpose: 'exit 1 if this account may not run projections' },
    { line: 'evstore doctor --fix guards', purpose: 'restore the triggers and functions of the log' },
    { line: 'evstore doctor --fix sequence', purpose: 'after a restore: continue after the last position' },
    { line: 'evstore doctor --fix sagas', purpose: 'rebuild the rows of saga instances from their streams' },
    { line: "evstore doctor --json | jq '.findings[]'", purpose: 'print the findings as JSON' },
  ],
  options: [
    option('--ci', 'also exit 1 on warnings'),
    option('--for <command>', 'also check that the database account may do what this command does'),
    option('-v, --verbose', 'also list the checks that passed, and facts about the store'),
    option(
      '--fix <part>',
      'first mend one part: guards (triggers and functions of the log), schema (drifted migrations), sequence (what assigns positions), journal (the mode of a SQLite file), sagas (the rows of instances)',
      oneOf(...fixableParts, 'sagas'),
    ),
  ],
  run: async (_args, flags, context) => {
    if (flags.fix !== undefined) await fix(flags.fix as FixablePart | 'sagas', context);
    const report = await diagnose(flags, context);
    const { facts, findings, checks } = report;
    await printFindings(context, findings, report);
    const isForPeople = context.format({ people: 'table', pipe: 'tsv' }) === 'table' && !context.quiet;
    const isVerbose = flags.verbose === true;
    if (isForPeople && isVerbose) {
      const { renderChecks, renderFacts } = await import('../src/output/finding-text.js');
      await context.io.stdout.write(`${renderChecks(checks, context.view)}\n${renderFacts(facts, context.view)}`);
    }
    const passed = checks.filter(({ result }) => result === 'ok').length;
    const hint = isVerbose || passed === 0 ? undefined : `-v shows the ${count(passed, 'check')} that passed.`;
    failOnFindings(findings, { strict: flags.ci === true, ...(hint !== undefined && { why: hint }) });
    await context.note(`${describeVerdict(findings)}${hint === undefined ? '' : `; ${hint}`}`);
    return 0;
  },
};

async function fix(part: FixablePart | 'sagas', context: Context): Promise<void> {
  const store = await context.openStore({ unchecked: true });
  if (part === 'sagas') {
    for (const saga of await listSagas(store)) {
      const streams = await restoreInstances(store, saga);
      await context.note(`saga ${saga}: compared the rows of ${count(streams, 'instance')} with their streams`);
    }
    return;
  }
  await context.note((await store.schema.fix(part)) ?? `${part}: nothing to mend`);
}

/** Executes the config, which may be user code, only when nothing else names the store. */
async function diagnose(flags: Flags, context: Context): Promise<StoreExamination> {
  const facts: Fact[] = [];
  try {
    const named = typeof flags.config === 'string' ? flags.config : undefined;
    facts.push({ name: 'config', value: findConfig(context.io.cwd, named) ?? 'none' });
    const { url, origin } = await context.storeChoice();
    facts.push({ name: 'store', value: `${redactUrl(url)} (${origin})` });
    const store = await context.openStore({ unchecked: true });
    const command = flags.for as string | undefined;
    const given = { copies: { value: findCopies(context.io.cwd, readVersion()) } };
    const examined = await examineStore(store, allChecks, context.io.now(), { command, given });
    return { ...examined, facts: [...facts, ...examined.facts] };
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    return { facts, findings: [unreadFinding(['connection'], error)], checks: [] };
  }
}
