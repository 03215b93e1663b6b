/** Carries what hangs on a table over to its replacement: slow work before the swap, quick statements during it. */
import { randomBytes } from 'node:crypto';
import { EvstoreError } from '../../../domain/errors.js';
import { deriveName, isDefinedIndex, suffixOf } from '../../../domain/names.js';
import { toText } from '../../shared/rows.js';
import type { Session } from '../connection/database.js';
import { sqlState } from '../connection/errors.js';
import { quoteIdentifier } from '../connection/literals.js';
import { qualify } from '../read-models/read-model.js';

/**
 * A prelude: definitions of views, keys and triggers name their relations in full, and queries of catalogs are not compiled,
 * although Postgres overestimates their sizes.
 */
export const catalogSettings = 'set local search_path = pg_catalog, pg_temp; set local jit = off';

/** A relation and its replacement, which takes its name: a table, or a materialized view on it. */
export interface Change {
  readonly schema: string;
  readonly live: string;
  readonly outgoing: { readonly id: number; readonly name: string };
  readonly incoming: { readonly id: number; readonly name: string };
}

/** A statement, and the object that would be lost without it. */
export interface Carrying {
  readonly kind: string;
  readonly name: string;
  readonly statement: string;
}

/** A part of a relation that may have been added by hand. */
interface Part {
  readonly kind: string;
  readonly name: string;
  readonly schema: string;
  /** Without name and relation; null for a part that `make` creates. */
  readonly definition: string | null;
  readonly make: string | null;
  readonly drop: string | null;
  readonly finish: readonly string[];
  /** The columns it needs. */
  readonly columns: readonly string[];
}

/** Statements before (`off`) and after (`on`) the tables exchange names; `names` are those of indexes and statistics. */
export interface Handover {
  readonly off: readonly Carrying[];
  readonly on: readonly Carrying[];
  readonly names: readonly {
    readonly kind: string;
    readonly schema: string;
    readonly from: string;
    readonly to: string;
  }[];
}

const duplicateName = '42P07';

/** Created on the new relation before the swap, because they may take long. */
const madeAhead = ['index', 'primary key', 'constraint', 'check', 'statistics'];

/** Lists the parts of a table that the definition of its read model made, before anything is added by hand. */
export async function listMade(session: Session, oid: number): Promise<readonly string[]> {
  return (await readParts(session, oid)).map(describePart);
}

/**
 * Gives the new relation, before it has readers, the indexes, constraints, statistics and settings it lacks.
 * @param made parts that the definition of the live read model made: not carried over
 * @throws E_UNSAFE_STORE naming what does not fit the new relation
 */
export async function prepareParts(session: Session, change: Change, made: readonly string[] = []): Promise<void> {
  const { schema, incoming } = change;
  for (const carrying of await readCarrying(session, change, 'early')) await carry(session, carrying);
  const { missing, current } = await compareParts(session, change, made);
  const taken = new Set(current.map(({ name }) => name));
  let number = 0;
  for (const part of missing.filter(({ kind }) => madeAhead.includes(kind))) {
    let name = part.name;
    if (part.kind !== 'check')
      do name = deriveName(incoming.name, `_x${++number}`);
      while (taken.has(name));
    await carry(session, { ...part, statement: makePart(part, name, qualify(schema, incoming.name)) });
  }
}

/** Plans the statements to run when the names change; all of them are quick. */
export async function planHandover(session: Session, change: Change, made: readonly string[] = []): Promise<Handover> {
  const { missing, pairs } = await compareParts(session, change, made);
  const moved = missing.filter(({ make }) => make !== null);
  return {
    off: [
      ...(await readCarrying(session, change, 'off')),
      ...moved.flatMap((part) => (part.drop === null ? [] : [{ ...part, statement: part.drop }])),
    ],
    on: [
      ...(await readCarrying(session, change, 'on')),
      ...moved.map((part) => ({ ...part, statement: toText(part.make) })),
      ...pairs.flatMap(({ part, current }) => renameCheck(change, part, current)),
      ...[...moved, ...pairs.map(({ part }) => part)].flatMap((part) =>
        part.finish.map((statement) => ({ ...part, statement })),
      ),
    ],
    names: pairs.flatMap(({ part, current }, index) => exchangedNames(change, part, current, index)),
  };
}

/** A part that exists under another name takes its old name; the part with that name is renamed first. */
function exchangedNames(
  { live, outgoing, incoming }: Change,
  part: Part,
  current: Part,
  index: number,
): Handover['names'] {
  if (!['index', 'primary key', 'constraint', 'statistics'].includes(part.kind)) return [];
  const suffix = suffixOf(live, part.name);
  if (suffix !== undefined && current.name === deriveName(incoming.name, suffix) && part.kind !== 'statistics')
    return [];
  const kind = part.kind === 'statistics' ? 'statistics' : 'index';
  return [
    { kind, schema: part.schema, from: part.name, to: deriveName(outgoing.name, `_x${index + 1}`) },
    { kind, schema: part.schema, from: current.name, to: part.name },
  ];
}

/** The names of checks belong to their table, so the old name is free. */
function renameCheck({ schema, live, incoming }: Change, part: Part, current: Part): readonly Carrying[] {
  if (part.kind !== 'check' || part.name === current.name || suffixOf(incoming.name, current.name) !== undefined)
    return [];
  const [from, to] = [current.name, part.name].map(quoteIdentifier);
  return [{ ...part, statement: `alter table ${qualify(schema, live)} rename constraint ${from} to ${to}` }];
}

/** @throws E_UNSAFE_STORE naming what needs a column that the new table does not have */
export async function assertColumns(session: Session, { outgoing, incoming }: Change): Promise<void> {
  const rows = await session.ask('missing-columns', [outgoing.id, incoming.id]);
  if (rows.length === 0) return;
  const needs = rows.map(([kind, name, column]) => `${kind} ${name} needs column ${column}`);
  throw new EvstoreError('E_UNSAFE_STORE', `the new table lacks a column that is needed: ${needs.join(', ')}`, {
    why: 'A swap would break it. Drop or change it, then rebuild. The live table is untouched.',
    details: { needs },
  });
}

/** Applies settings that would rewrite a table with rows. */
export async function prepareEmpty(session: Session, change: Change): Promise<void> {
  for (const carrying of await readCarrying(session, change, 'empty')) await carry(session, carrying);
}

/** @throws E_UNSAFE_STORE naming what Postgres refuses to create; errors about locks are thrown unchanged */
export async function carry(session: Session, carrying: Carrying): Promise<void> {
  try {
    await session.query(carrying.statement);
  } catch (error) {
    throw nameLoss(error, carrying);
  }
}

/** Runs all of them in one message, to hold the locks for less time. Throws as `carry`. */
export async function carryAll(session: Session, carryings: readonly Carrying[]): Promise<void> {
  const quote = (text: string) => {
    const tag = `$evstore${randomBytes(8).toString('hex')}$`;
    return `${tag}${text}${tag}`;
  };
  const block = carryings.map(({ statement }) => `execute ${quote(statement)};`).join('\n');
  try {
    await session.script(`do ${quote(`begin ${block} end`)}`);
  } catch (error) {
    const where = error instanceof Error && 'where' in error ? String(error.where) : '';
    const failed = carryings.find(({ statement }) => where.includes(`SQL statement "${statement}"`));
    throw failed === undefined ? error : nameLoss(error, failed);
  }
}

export function nameLoss(error: unknown, { kind, name }: Carrying): unknown {
  const state = sqlState(error) ?? '';
  if (!/^(0A|2[23B]|42|54|P0)/.test(state)) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (state === duplicateName) {
    return new EvstoreError('E_FOREIGN_TABLE', `${kind} ${name} needs a name that something else has`, {
      why: `${message}. Rename or drop it, then try again. Nothing has been changed.`,
      cause: error,
    });
  }
  return new EvstoreError('E_UNSAFE_STORE', `a swap would lose ${kind} ${name}`, {
    why: `It does not fit the new table: ${message}. Nothing has been changed.`,
    details: { breaks: `${kind} ${name}` },
    cause: error,
  });
}

async function readCarrying(
  session: Session,
  { outgoing, incoming }: Change,
  wanted: 'empty' | 'early' | 'off' | 'on',
): Promise<readonly Carrying[]> {
  const rows = await session.ask('carry-over', [outgoing.id, incoming.id]);
  return rows
    .filter(([phase]) => phase === wanted)
    .map((row) => ({ kind: toText(row[1]), name: toText(row[2]), statement: toText(row[3]) }));
}

/** Finds the parts that both relations have (`pairs`), and those that were added to the live one by hand (`missing`). */
async function compareParts(session: Session, { live, outgoing, incoming }: Change, made: readonly string[]) {
  const before = await readParts(session, outgoing.id);
  const current = await readParts(session, incoming.id);
  const [columns] = await session.ask('columns', [incoming.id]);
  const known = new Set<string>(JSON.parse(toText(columns?.[0])));
  const free = new Set(current);
  const pairs: { readonly part: Part; readonly current: Part }[] = [];
  const take = (part: Part, isLike: (other: Part) => boolean) => {
    const found = [...free].find((other) => other.kind === part.kind && isLike(other));
    if (found === undefined) return false;
    free.delete(found);
    pairs.push({ part, current: found });
    return true;
  };
  const derived = (name: string) => {
    const suffix = suffixOf(live, name);
    return suffix === undefined ? name : deriveName(incoming.name, suffix);
  };
  const unnamed = before.filter((part) => !take(part, ({ name }) => name === part.name || name === derived(part.name)));
  const unpaired = unnamed.filter(
    (part) =>
      !take(
        part,
        ({ definition }) => part.kind === 'primary key' || (definition !== null && definition === part.definition),
      ),
  );
  const isOwn = (part: Part) =>
    (part.kind === 'index' && isDefinedIndex(live, part.name)) || made.includes(describePart(part));
  const missing = unpaired.filter((part) => !isOwn(part) && part.columns.every((column) => known.has(column)));
  return { pairs, missing, current };
}

function describePart({ kind, name, definition }: Part): string {
  return `${kind} ${definition ?? name}`;
}

function makePart({ kind, schema, definition }: Part, name: string, table: string): string {
  const quoted = quoteIdentifier(name);
  if (kind === 'statistics') return `create statistics ${qualify(schema, name)}${definition} from ${table}`;
  if (kind !== 'index') return `alter table ${table} add constraint ${quoted} ${definition}`;
  const isUnique = definition?.startsWith('unique ') === true;
  return `create ${isUnique ? 'unique ' : ''}index ${quoted} on ${table} ${definition?.slice(isUnique ? 7 : 0)}`;
}

async function readParts(session: Session, oid: number): Promise<readonly Part[]> {
  const rows = await session.ask('table-parts', [oid]);
  return rows.map((row) => ({
    kind: toText(row[0]),
    name: toText(row[1]),
    schema: toText(row[2]),
    definition: row[3] ?? null,
    make: row[4] ?? null,
    drop: row[5] ?? null,
    finish: JSON.parse(toText(row[6])),
    columns: JSON.parse(toText(row[7])),
  }));
}
