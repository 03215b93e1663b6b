/** `evstore doctor`: diagnoses the store, the database account and the settings. */

import { findConfig } from '../src/config/find-config.js';
import { examineStore, toFinding } from '../src/doctor/examine.js';
import { count } from '../src/domain/words.js';
import { renderFacts } from '../src/output/finding-text.js';
import { redactUrl } from '../src/store/redact-url.js';
import type { Diagnosis, Fact, FixablePart } from '../src/store/store.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { oneOf } from './options/parse-option.js';
import { failOnFindings, printFindings } from './support/print-findings.js';

export const command: Command = {
  usage: 'doctor',
  writes: 'nothing; with --fix the part that is named',
  examples: [
    { line: 'evstore doctor', purpose: 'exit 1 if there is an error' },
    { line: 'evstore doctor --ci', purpose: 'exit 1 if there is an error or a warning' },
    { line: 'evstore doctor --fix sequence', purpose: 'after a restore: continue after the last position' },
    { line: "evstore doctor --json | jq '.findings[]'", purpose: 'print the findings as JSON' },
  ],
  options: [
    option('--ci', 'also exit 1 on warnings'),
    option(
      '--fix <part>',
      'first mend sequence (what assigns positions) or journal (the mode of a SQLite file)',
      oneOf('sequence', 'journal'),
    ),
  ],
  run: async (_args, flags, context) => {
    if (flags.fix !== undefined) await fix(flags.fix as FixablePart, context);
    const diagnosis = await diagnose(flags, context);
    const isForPeople = context.format({ people: 'table', pipe: 'tsv' }) === 'table' && !context.quiet;
    if (isForPeople) await context.io.stdout.write(renderFacts(diagnosis.facts, context.theme.stdout));
    await printFindings(context, diagnosis.findings, diagnosis);
    failOnFindings(diagnosis.findings, { strict: flags.ci === true });
    const warnings = diagnosis.findings.filter(({ severity }) => severity === 'warning');
    await context.note(warnings.length === 0 ? 'no problems found' : `no errors, ${count(warnings.length, 'warning')}`);
    return 0;
  },
};

async function fix(part: FixablePart, context: Context): Promise<void> {
  const store = await context.openStore({ unchecked: true });
  await context.note((await store.schema.fix(part)) ?? `${part}: nothing to mend`);
}

/** Executes the config, which may be user code, only when nothing else names the store. */
async function diagnose(flags: Flags, context: Context): Promise<Diagnosis> {
  const facts: Fact[] = [];
  try {
    const named = typeof flags.config === 'string' ? flags.config : undefined;
    facts.push({ name: 'config', value: findConfig(context.io.cwd, named) ?? 'none' });
    const { url, origin } = await context.storeChoice();
    facts.push({ name: 'store', value: `${redactUrl(url)} (${origin})` });
    const store = await context.openStore({ unchecked: true });
    const { facts: more, findings } = await examineStore(store, context.io.now());
    return { facts: [...facts, ...more], findings };
  } catch (error) {
    return { facts, findings: [toFinding('connection', error)] };
  }
}
