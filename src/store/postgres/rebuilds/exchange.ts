/** Exchanges the names of tables within a swap or a rollback, with everything that hangs on them. */
import { randomBytes } from 'node:crypto';
import { deriveName, suffixOf } from '../../../domain/names.js';
import { brokenKey } from '../../shared/broken-key.js';
import { assertNamesFree, type Exchange, oldNames, strangerAt } from '../../shared/journal.js';
import { toInteger, toOptional, toText } from '../../shared/rows.js';
import type { Session } from '../connection/database.js';
import { detailOf, sqlState } from '../connection/errors.js';
import { quoteIdentifier } from '../connection/literals.js';
import type { RawRow } from '../connection/values.js';
import { qualify } from '../read-models/read-model.js';
import {
  type Carrying,
  type Change,
  carry,
  carryAll,
  type Handover,
  nameLoss,
  planHandover,
  prepareParts,
} from './dependents.js';
import { findTables, findTaken } from './inspect.js';

const foreignKeyViolation = '23503';

interface MaterializedView extends Change {
  /** Creates it on the new table before that takes the live name. */
  readonly make: string;
}

interface ForeignKey {
  readonly name: string;
  readonly tables: readonly { readonly name: string; readonly oid: number }[];
  readonly make: string | null;
  /** The name of the new one until it takes the old one. */
  readonly made: string;
  readonly off: readonly Carrying[];
  readonly on: readonly Carrying[];
}

/**
 * Works in two steps. First writers wait while the slow work is done: keys are checked, materialized views are filled. Then
 * readers wait too, for a moment.
 * @param check is called when no other transaction can change what hangs on the tables
 */
export async function exchangeTables(
  session: Session,
  exchanges: readonly Exchange<number>[],
  lockTimeoutMs: number,
  check: () => Promise<void>,
): Promise<void> {
  const { schema } = session;
  const changes = exchanges.flatMap((exchange) => toChange(schema, exchange));
  const keys = await readForeignKeys(session, changes);
  const partners = keys.flatMap(({ tables }) => tables);
  await lockTables(session, exchanges, partners, 'share row exclusive');
  await check();
  assertNamesFree(exchanges, await findTaken(session, oldNames(exchanges)));
  const views = await describeMaterializedViews(session, changes, lockTimeoutMs);
  for (const { change, made } of changes) await prepareParts(session, change, made);
  for (const key of keys) await makeForeignKey(session, key, exchanges);
  const filled: Change[] = [];
  for (const view of views) filled.push(await fillMaterializedView(session, view));
  const handovers: Handover[] = [];
  for (const { change, made } of changes) handovers.push(await planHandover(session, change, made));
  for (const view of filled) handovers.push(await planHandover(session, view));
  const replaced = [...changes.map(({ change }) => change), ...filled].map(({ outgoing }) => outgoing.id);
  const repointed = await readRepointed(session, replaced);
  const settled = new Set([
    ...keys.map(({ made }) => made),
    ...handovers.flatMap(({ names }) => names.map((name) => name.from)),
  ]);
  const renames: Carrying[] = [];
  for (const { schema: space, live, outgoing, incoming } of [
    ...exchanges.map((each) => ({ ...each, schema })),
    ...filled,
  ]) {
    if (outgoing !== null) renames.push(...(await planRenames(session, space, outgoing, live, outgoing.name, settled)));
    renames.push(...(await planRenames(session, space, incoming, incoming.name, live, settled)));
  }
  const touched = new Set([...replaced, ...repointed.map(({ view }) => view)]);
  const readers = await session.ask('dependent-views', [replaced]);
  // From here on, readers wait.
  const deadline = performance.now() + lockTimeoutMs;
  const lock = (statement: string) => lockBy(session, deadline, statement);
  for (const [oid, , ...view] of readers) if (touched.has(toInteger(oid))) await lock(lockView(view.map(toText)));
  await lockTables(session, exchanges, partners, 'access exclusive', lock);
  await carryAll(session, [
    ...handovers.flatMap(({ off }) => off),
    ...keys.flatMap(({ off }) => off),
    ...handovers.flatMap(({ names }) => names.map(renamePart)),
    ...renames,
    ...handovers.flatMap(({ on }) => on),
    ...keys.flatMap(({ on }) => on),
    ...repointed,
    ...filled.toReversed().map(({ schema: space, live, outgoing }) => ({
      kind: 'materialized view',
      name: live,
      statement: `drop materialized view ${qualify(space, outgoing.name)}`,
    })),
  ]);
}

function toChange(schema: string, { live, outgoing, incoming, made }: Exchange<number>) {
  return outgoing === null ? [] : [{ change: { schema, live, outgoing, incoming }, made }];
}

/**
 * Locks in the order of oids, so that two swaps cannot wait for each other.
 * @throws E_UNSAFE_STORE when a table is not the one in the journal
 */
async function lockTables(
  session: Session,
  exchanges: readonly Exchange<number>[],
  partners: ForeignKey['tables'],
  mode: 'share row exclusive' | 'access exclusive',
  lock = async (statement: string): Promise<void> => {
    await session.query(statement);
  },
): Promise<void> {
  const tables = exchanges.flatMap(({ live, outgoing, incoming, renew }) => [
    { id: incoming.id, name: incoming.name, renew },
    ...(outgoing === null ? [] : [{ id: outgoing.id, name: live, renew }]),
  ]);
  const before = await findTables(
    session,
    exchanges.flatMap(({ live, incoming }) => [live, incoming.name]),
  );
  const stranger = exchanges.find(({ live, outgoing }) => outgoing === null && before.has(live));
  if (stranger !== undefined) throw strangerAt(stranger.live, stranger.renew);
  for (const { name, id, renew } of tables) if (before.get(name) !== id) throw strangerAt(name, renew);
  const names = new Map([
    ...partners.map(({ oid, name }) => [oid, name] as const),
    ...tables.map(({ id, name }) => [id, qualify(session.schema, name)] as const),
  ]);
  for (const [, name] of [...names].toSorted(([a], [b]) => a - b)) await lock(`lock table ${name} in ${mode} mode`);
  const after = await findTables(
    session,
    tables.map(({ name }) => name),
  );
  for (const { name, id, renew } of tables) if (after.get(name) !== id) throw strangerAt(name, renew);
}

/** The deadline is for all locks together: a query that waits behind the first lock waits for the last. */
async function lockBy(session: Session, deadline: number, statement: string): Promise<void> {
  const remainingMs = Math.max(1, Math.ceil(deadline - performance.now()));
  await session.script(`set local lock_timeout = ${remainingMs}; ${statement}`);
}

/** LOCK would also lock every table the view reads; setting its owner to the same role locks only the view. */
function lockView([schema = '', name = '', owner = '']: readonly string[]): string {
  return `alter table ${qualify(schema, name)} owner to ${quoteIdentifier(owner)}`;
}

async function readForeignKeys(
  session: Session,
  changes: readonly { readonly change: Change }[],
): Promise<readonly ForeignKey[]> {
  const [first] = changes;
  if (first === undefined) return [];
  const oids = (side: 'outgoing' | 'incoming') => changes.map(({ change }) => change[side].id);
  const rows = await session.ask('foreign-keys', [
    oids('outgoing'),
    oids('incoming'),
    `${first.change.incoming.name}_f`,
  ]);
  return rows.map((row) => {
    const name = toText(row[0]);
    const carryings = (statements: RawRow) =>
      statements.flatMap((statement) => (statement === null ? [] : [{ kind: 'foreign key', name, statement }]));
    return {
      name,
      tables: [
        { name: toText(row[1]), oid: toInteger(row[2]) },
        { name: toText(row[3]), oid: toInteger(row[4]) },
      ],
      make: row[5] ?? null,
      off: carryings(row.slice(6, 8)),
      on: carryings(row.slice(8, 9)),
      made: toText(row[9]),
    };
  });
}

/** @throws E_UNSAFE_STORE naming a key that has no row */
async function makeForeignKey(
  session: Session,
  { name, make, tables }: ForeignKey,
  exchanges: readonly Exchange<number>[],
): Promise<void> {
  if (make === null) return;
  try {
    await session.query(make);
  } catch (error) {
    if (sqlState(error) !== foreignKeyViolation) throw nameLoss(error, { kind: 'foreign key', name, statement: make });
    // Key (a, b)=(1, 2) is not present in table "x". Its words depend on the language of the server.
    const [, columns = '', values = null] = /\((.*?)\)=\((.*)\)/s.exec(detailOf(error)) ?? [];
    const [child = '', parent = ''] = tables.map((table) => withoutSchema(session, table.name));
    const exchanged = exchanges.map(({ live }) => live);
    throw brokenKey({ constraint: name, child, parent, exchanged, columns, values }, error);
  }
}

function withoutSchema({ schema }: Session, name: string): string {
  const plain = name.replaceAll('"', '');
  return plain.startsWith(`${schema}.`) ? plain.slice(schema.length + 1) : plain;
}

async function readRepointed(
  session: Session,
  replaced: readonly number[],
): Promise<readonly (Carrying & { readonly view: number | null })[]> {
  const rows = await session.ask('repoint', [replaced]);
  return rows.map((row) => ({
    kind: toText(row[0]),
    name: toText(row[1]),
    statement: toText(row[2]),
    view: toOptional(row[3], toInteger),
  }));
}

/**
 * Returns the name and the statement of each. Postgres prints a query with the current names of its tables, so the tables
 * get unique names while it is read, and every mention of them can be replaced.
 */
async function describeMaterializedViews(
  session: Session,
  changes: readonly { readonly change: Change }[],
  lockTimeoutMs: number,
): Promise<readonly MaterializedView[]> {
  const outgoing = changes.map(({ change }) => change.outgoing.id);
  const rows = outgoing.length === 0 ? [] : await session.ask('dependent-views', [outgoing]);
  const found = rows.filter(([, kind]) => kind === 'm').toReversed();
  const [first] = changes;
  if (found.length === 0 || first === undefined) return [];
  const views = found.map(([oid, , space, name], index) => ({
    schema: toText(space),
    live: toText(name),
    outgoing: { id: toInteger(oid), name: deriveName(first.change.outgoing.name, `_m${index + 1}`) },
    incoming: { id: 0, name: deriveName(first.change.incoming.name, `_m${index + 1}`) },
  }));
  const token = `evstore${randomBytes(12).toString('hex')}`;
  const renamed = [...changes.map(({ change }) => change), ...views].map((change, index) => ({
    ...change,
    token: `${token}_${index}_`,
  }));
  const deadline = performance.now() + lockTimeoutMs;
  await session.query('savepoint names');
  for (const { schema, live, token } of renamed) {
    await lockBy(session, deadline, `alter table ${qualify(schema, live)} rename to ${token}`);
  }
  const described: MaterializedView[] = [];
  for (const view of views) {
    const [row] = await session.ask('materialized-view', [view.outgoing.id]);
    let query = toText(row?.[2]);
    for (const { token, incoming } of renamed) query = query.replaceAll(token, quoteIdentifier(incoming.name));
    const name = qualify(view.schema, view.incoming.name);
    const data = row?.[1] === 'true' ? 'with data' : 'with no data';
    described.push({ ...view, make: `create materialized view ${name}${toText(row?.[0])} as ${query} ${data}` });
  }
  await session.query('rollback to savepoint names');
  return described;
}

/** Creates and fills the new materialized view, with its indexes, from the new table. */
async function fillMaterializedView(session: Session, { make, ...view }: MaterializedView): Promise<Change> {
  const { schema, live, incoming } = view;
  await carry(session, { kind: 'materialized view', name: `${schema}.${live}`, statement: make });
  const found = await findTables(session, [incoming.name], schema);
  const change = { ...view, incoming: { ...incoming, id: found.get(incoming.name) ?? 0 } };
  await prepareParts(session, change);
  await session.query(`analyze ${qualify(schema, incoming.name)}`);
  return change;
}

function renamePart({ kind, schema, from, to }: Handover['names'][number]): Carrying {
  const statement = `alter ${kind} ${qualify(schema, from)} rename to ${quoteIdentifier(to)}`;
  return { kind, name: from, statement };
}

/** Renames a table with its indexes, their constraints and its sequences, except the names in `settled`. */
export async function planRenames(
  session: Session,
  schema: string,
  { id }: { readonly id: number },
  from: string,
  to: string,
  settled: ReadonlySet<string>,
): Promise<readonly Carrying[]> {
  const parts = (await session.ask('rename-plan', [id])).map((part) => part.map(toText));
  const taken = new Set(parts.flatMap(([kind, name]) => (kind === 'constraint' ? [name] : [])));
  const table = `alter table ${qualify(schema, from)} rename to ${quoteIdentifier(to)}`;
  return [
    { kind: 'table', name: from, statement: table },
    ...parts.flatMap(([kind = '', name = '']) => {
      const suffix = suffixOf(from, name);
      if (suffix === undefined || settled.has(name)) return [];
      const renamed = deriveName(to, suffix);
      if (kind === 'constraint') {
        // It keeps its name where the new one would be longer: the names of constraints belong to their table.
        if (Buffer.byteLength(to) > Buffer.byteLength(from) || taken.has(renamed)) return [];
        const statement = `alter table ${qualify(schema, to)} rename constraint ${quoteIdentifier(name)} to ${quoteIdentifier(renamed)}`;
        return [{ kind, name, statement }];
      }
      return [renamePart({ kind, schema, from: name, to: renamed })];
    }),
  ];
}
