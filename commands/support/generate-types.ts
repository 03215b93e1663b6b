/** `evstore types generate`: looks at the store, and writes the file of types and its lock. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { findConfig } from '../../src/config/find-config.js';
import { EvstoreError } from '../../src/domain/errors.js';
import { count } from '../../src/domain/words.js';
import { type Lock, lockName, readLock, writeLock } from '../../src/inference/lock.js';
import { type Looked, lookAtStore, mostTypes, usualSample } from '../../src/inference/look.js';
import { mark, writeTypes } from '../../src/inference/typescript.js';
import { renderReport } from '../../src/output/json-line.js';
import { renderLineDiff } from '../../src/output/line-diff.js';
import { groupDigits } from '../../src/output/numbers.js';
import { writeFiles } from '../../src/scaffold/write.js';
import { sanitise } from '../../src/terminal/sanitise.js';
import type { Context, Flags } from '../options/command.js';

const usualOut = 'evstore.types.d.ts';
/** Comparing longer files takes too much memory. */
const mostDiffLines = 2_000;

export async function generateTypes(flags: Flags, context: Context): Promise<void> {
  const root = projectFolder(flags, context);
  const force = flags.force === true;
  const lockFile = join(root, lockName);
  const before = readIfExists(lockFile);
  const old = before === undefined || force ? undefined : readLock(before, relative(context.io.cwd, lockFile));
  const out = chooseOut(flags, context.io.cwd, root, old);
  const outBefore = readIfExists(join(root, out));
  if (!force && outBefore !== undefined && !outBefore.startsWith(mark)) throw notOurs(out, context);

  const looked = await look(flags, context);
  const { seenTo, seenToId, types } = looked;
  const sample = (flags.sample ?? null) as Lock['sample'];
  const lock = { format: 1, out, seenTo, seenToId, sample, enums: flags.enums !== false, types } as const;
  const files = [
    { path: out, content: writeTypes(types, describeLook(looked)), before: outBefore },
    { path: lockName, content: writeLock(lock), before },
  ];
  if (flags.dryRun !== true) write(root, files);
  await report(files, root, looked, flags, context);
}

/** The folder of the config, whose code is not executed. */
export function projectFolder(flags: Flags, { io }: Context): string {
  const config = findConfig(io.cwd, flags.config as string | undefined);
  return config === undefined ? io.cwd : dirname(resolve(io.cwd, config));
}

export function readIfExists(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new EvstoreError('E_CONFIG', `${basename(path)} cannot be read`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  }
}

/** Relative to the project, with `/`. */
function chooseOut(flags: Flags, cwd: string, root: string, lock: Lock | undefined): string {
  if (flags.out === undefined) return lock?.out ?? usualOut;
  const out = relative(root, resolve(cwd, flags.out as string)).replaceAll('\\', '/');
  if (/\.[cm]?ts$/.test(out)) return out;
  throw new EvstoreError('E_USAGE', `${out} is not a TypeScript file`, {
    why: 'The name of the file has to end with .d.ts or .ts, so that the compiler reads it.',
    next: `evstore types generate --out ${usualOut}`,
  });
}

function notOurs(out: string, context: Context): EvstoreError {
  return new EvstoreError('E_USAGE', `${out} exists, and evstore did not generate it`, {
    why: 'Only --force replaces such a file, and shows what changes.',
    next: context.repeatedWith('--force', '--dry-run'),
  });
}

async function look(flags: Flags, context: Context): Promise<Looked> {
  const store = await context.openStore();
  await store.schema.assertGuards();
  const progress = await context.progress('types');
  const looked = await lookAtStore(store, {
    sample: flags.sample as number | 'all' | undefined,
    enums: flags.enums !== false,
    progress: (done, total) => progress.update(done, { total }),
    signal: context.io.signal,
  }).finally(() => progress.stop());
  if (looked.types.length > 0) return looked;
  throw new EvstoreError('E_NOT_FOUND', 'no event to infer types from', {
    why: 'The store has no events, except those of sagas, which evstore writes itself.',
    next: 'evstore types',
  });
}

/** Says what was looked at, and what was not: for the header of the file, and for people. */
function describeLook({ types, events, seenTo, complete, ...rest }: Looked): readonly string[] {
  const { leftOutTypes, leftOutVersions, tooLarge } = rest;
  const sampled = types.filter(({ versions }) => versions.some((each) => !each.complete)).length;
  const whole = complete && leftOutTypes === 0 && leftOutVersions === 0;
  const upTo = `up to position ${groupDigits(seenTo)}`;
  return [
    whole
      ? `Looked at all ${count(events, 'event')} of ${count(types.length, 'type')}, ${upTo}.`
      : `Looked at ${count(events, 'event')} of ${count(types.length, 'type')}, ${upTo}; not at all events.`,
    ...(sampled === 0 ? [] : [`Of ${count(sampled, 'type')}, a sample: other events may have other data.`]),
    ...(leftOutTypes === 0 ? [] : [`Left out: ${count(leftOutTypes, 'type')} after the first ${mostTypes} by name.`]),
    ...(leftOutVersions === 0 ? [] : [`Left out: ${count(leftOutVersions, 'event')} of old schema versions.`]),
    ...(tooLarge === 0 ? [] : [`Left out: ${count(tooLarge, 'event')} with more than 1 MB of data.`]),
  ];
}

interface GeneratedFile {
  /** Relative to the project. */
  readonly path: string;
  readonly content: string;
  readonly before: string | undefined;
}

/** Writes what changes; files in one folder together or not at all. */
function write(root: string, files: readonly GeneratedFile[]): void {
  const changed = files.filter(({ content, before }) => content !== before);
  for (const folder of new Set(changed.map(({ path }) => dirname(path)))) {
    const inside = changed.filter(({ path }) => dirname(path) === folder);
    const planned = inside.map(({ path, content }) => ({ name: basename(path), content }));
    writeFiles(planned, { root, folder, force: true });
  }
}

async function report(
  files: readonly GeneratedFile[],
  root: string,
  looked: Looked,
  flags: Flags,
  context: Context,
): Promise<void> {
  const { io, asJson, theme } = context;
  const dryRun = flags.dryRun === true;
  const shown = (path: string) => relative(io.cwd, join(root, path));
  if (asJson) {
    const types = looked.types.map(({ type, versions }) => ({
      type,
      versions: versions.map(({ version, events, complete }) => ({ version, events, complete })),
    }));
    const { events, seenTo, complete } = looked;
    const made = files.map(({ path, content, before }) => ({ path: shown(path), changed: content !== before }));
    await io.stdout.write(renderReport({ files: made, types, events, seenTo, complete, dryRun }));
    return;
  }
  for (const { path, content, before } of files) {
    const isShort = [content, before ?? ''].every((text) => text.split('\n').length <= mostDiffLines);
    const isReplaced = before !== undefined && before !== content && path !== lockName;
    if (isReplaced && isShort && !context.quiet)
      await io.stderr.write(renderLineDiff(shown(path), before, content, theme.stderr));
  }
  const text = files.map(({ path, content }) =>
    dryRun ? `// ${shown(path)}\n${content}` : `${sanitise(shown(path))}\n`,
  );
  await io.stdout.write(text.join(dryRun ? '\n' : ''));
  const [first = '', ...others] = describeLook(looked);
  await context.note(lower(first));
  for (const line of others) await context.warn(lower(line));
  if (flags.sample === undefined && !looked.complete) {
    await context.note(`looked at ${groupDigits(usualSample)} events of each type; --sample all looks at all of them`);
  }
  if (!dryRun) await context.note('next: evstore types check');
}

function lower(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, '')}`;
}
