/** `evstore types check`: compares stored events with the lock, and types with the code that handles them. */
import { join, relative } from 'node:path';
import { allOf } from '../../src/config/load-files.js';
import { EvstoreError } from '../../src/domain/errors.js';
import type { Finding } from '../../src/domain/finding.js';
import { selectByName } from '../../src/domain/similar.js';
import { count } from '../../src/domain/words.js';
import { type Checked, checkEvents, findUnhandled, type Handling } from '../../src/inference/check.js';
import { type Lock, lockName, readLock } from '../../src/inference/lock.js';
import { findIdAt } from '../../src/inference/look.js';
import { groupDigits } from '../../src/output/numbers.js';
import { triggerTypes, waitedTypes } from '../../src/saga/validate.js';
import type { Store } from '../../src/store/store.js';
import type { Context, Flags } from '../options/command.js';
import { projectFolder, readIfExists } from './generate-types.js';
import { failOnFindings, printFindings } from './print-findings.js';
import { loadCode } from './projection-code.js';
import { loadSagaCode } from './run-code.js';

export async function checkTypes(flags: Flags, context: Context): Promise<void> {
  const lock = findLock(flags, context);
  const store = await context.openStore();
  await store.schema.assertGuards();
  const after = flags.all === true ? 0 : lock.seenTo;
  if (after > 0) await assertSameStore(store, lock, context);
  const progress = await context.progress('types');
  const checked = await checkEvents(store, lock, {
    after,
    progress: (done, total) => progress.update(done, { total }),
    signal: context.io.signal,
  }).finally(() => progress.stop());
  const handling = await loadHandling(flags, context);
  const ignored = (flags.ignore ?? []) as readonly string[];
  const unhandled = handling === undefined ? [] : await findUnhandled(store, handling, ignored);
  const findings = [...checked.findings, ...unhandled];
  await show(findings, checked, handling, lock, context);
  const most = checked.unlisted === 0 ? {} : { why: `${count(checked.unlisted, 'more finding')} are not listed.` };
  failOnFindings(findings, { strict: true, ...most });
}

function findLock(flags: Flags, context: Context): Lock {
  const path = join(projectFolder(flags, context), lockName);
  const file = relative(context.io.cwd, path);
  const text = readIfExists(path);
  if (text !== undefined) return readLock(text, file);
  throw new EvstoreError('E_NOT_FOUND', `there is no ${file}`, {
    why: 'It has the types that events are compared with.',
    next: 'evstore types generate',
  });
}

/** The position of another store says nothing about this one. */
async function assertSameStore(store: Store, { seenTo, seenToId }: Lock, context: Context): Promise<void> {
  const id = await findIdAt(store, seenTo);
  if (id === seenToId) return;
  throw new EvstoreError('E_DIVERGED', 'the types were generated from another store', {
    why: `Event ${seenToId} was at position ${groupDigits(seenTo)}, and is not there in this store: what was looked at already is unknown.`,
    next: context.repeatedWith('--all'),
  });
}

/** What the code handles; undefined without any code. */
async function loadHandling(flags: Flags, context: Context): Promise<readonly Handling[] | undefined> {
  const projections = allOf(await loadCode(context, flags));
  const sagas = allOf(await loadSagaCode(context, flags));
  const all: Handling[] = [
    ...projections.map(({ name, filter }) => ({ name, filter })),
    ...sagas.map((saga) => ({ name: saga.name, filter: { types: [...triggerTypes(saga), ...waitedTypes(saga)] } })),
  ];
  const named = flags.for as readonly string[] | undefined;
  if (named !== undefined) return selectByName(all, named, ({ name }) => name);
  return all.length === 0 ? undefined : all;
}

async function show(
  findings: readonly Finding[],
  checked: Checked,
  handling: readonly Handling[] | undefined,
  { types }: Lock,
  context: Context,
): Promise<void> {
  const { after, to, events, unlisted } = checked;
  const handlers = handling?.map(({ name }) => name) ?? null;
  await printFindings(context, findings, { findings, unlisted, events, after, to, types: types.length, handlers });
  await context.note(
    events === 0
      ? `looked at no event: there is none after position ${groupDigits(after)}; --all looks at all of them`
      : `looked at ${count(events, 'event')}, after position ${groupDigits(after)} up to ${groupDigits(to)}`,
  );
  await context.note(
    handling === undefined
      ? 'the project has no projection and no saga, so it was not checked which types they handle'
      : `compared the types of the store with ${count(handling.length, 'projection or saga', 'projections and sagas')}`,
  );
}
