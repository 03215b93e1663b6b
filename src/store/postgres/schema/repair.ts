/** Mends what a restore, a copy or a person left behind. Repeating it changes nothing. */
import { randomBytes } from 'node:crypto';
import { checksumOf, type MigrationFile } from '../../shared/migrations.js';
import { assertSameShape, findStatements, type ShapeLine } from '../../shared/repair.js';
import { toInteger, toText } from '../../shared/rows.js';
import type { FixablePart } from '../../store.js';
import { type Database, lockTimeout, type Session } from '../connection/database.js';
import { quoteIdentifier, quoteLiteral } from '../connection/literals.js';
import { renderSchema } from './schema-name.js';

const lockTimeoutMs = 30_000;

/** As `SchemaAdmin.fix`. */
export async function fix(
  database: Database,
  files: readonly MigrationFile[],
  part: FixablePart,
): Promise<string | null> {
  if (part === 'journal') return null;
  database.assertWritable();
  const work = {
    guards: (session: Session) => fixGuards(session, files),
    schema: (session: Session) => fixSchema(session, files),
    sequence: fixSequence,
  }[part];
  return database.transaction(work, {
    prelude: `${lockTimeout(lockTimeoutMs)}; set local client_min_messages = warning`,
  });
}

async function fixSequence(session: Session): Promise<string | null> {
  await session.script(renderSchema(session.schema)('lock table public.events in share row exclusive mode'));
  const [row] = await session.ask('fix-sequence');
  return row === undefined ? null : `the sequence of positions continues after ${toText(row[0])}`;
}

async function fixGuards(session: Session, files: readonly MigrationFile[]): Promise<string | null> {
  const before = await session.ask('guards');
  await installGuards(session, files);
  const after = await session.ask('guards');
  const left = new Set(after.map(([detail]) => detail));
  const mended = before.filter(([detail]) => !left.has(detail)).map(([detail]) => toText(detail));
  return mended.length === 0 ? null : `restored, because ${mended.join('; ')}`;
}

/** Functions and triggers by the text of the migrations, and the properties of the table that they rely on. */
async function installGuards(session: Session, files: readonly MigrationFile[]): Promise<void> {
  const [tagRow] = await session.ask('tag');
  const render = renderSchema(session.schema);
  const functions = findStatements(files, /^create function [\s\S]*?^\$\$;$/gm).map((text) =>
    text.replace(/^create function/, 'create or replace function'),
  );
  const triggers = findStatements(files, /^create trigger [\s\S]*?;$/gm).map(
    (text) => `drop trigger if exists ${/^create trigger (\S+)/.exec(text)?.[1]} on public.events;\n${text}`,
  );
  const enabling = findStatements(files, /^alter table public\.events enable always trigger .*;$/gm);
  const script = [...functions, ...triggers, ...enabling].join('\n');
  await session.script(session.sql('fix-guards'));
  await session.script(render(script.replaceAll('/*tag*/1', String(toInteger(tagRow?.[0])))));
  await session.ask('fix-sequence');
}

/** Makes the tables in a schema of their own, which is rolled back, to see whether they are the same. */
async function fixSchema(session: Session, files: readonly MigrationFile[]): Promise<string | null> {
  const stored = new Map((await session.ask('migrations-applied')).map((row) => [toInteger(row[0]), row]));
  const drifted = files.filter((file) => {
    const row = stored.get(file.version);
    return row !== undefined && row[1] === file.name && row[2] !== checksumOf(file);
  });
  if (drifted.length === 0) return null;
  assertSameShape(await makeShape(session, files), await readShape(session, session.schema));
  await installGuards(session, files);
  const updates = drifted.map(
    (file) =>
      `update public.evstore_migrations set checksum = ${quoteLiteral(checksumOf(file))} where version = ${file.version};`,
  );
  await session.script(renderSchema(session.schema)(updates.join('\n')));
  return `the tables are as the migrations make them, and the functions are restored: ${drifted.map(({ name }) => name).join(', ')}`;
}

async function makeShape(session: Session, files: readonly MigrationFile[]): Promise<readonly ShapeLine[]> {
  const schema = `evstore_made_${randomBytes(6).toString('hex')}`;
  const render = renderSchema(schema);
  await session.script('savepoint made');
  const texts = files.map((file) => render(file.readText()));
  // The statements of the store name its schema, so the two tables of the beginning are left out.
  await session.script([`create schema ${quoteIdentifier(schema)};`, ...texts].join('\n'));
  const shape = await readShape(session, schema);
  await session.script('rollback to savepoint made');
  return shape;
}

async function readShape(session: Session, schema: string): Promise<readonly ShapeLine[]> {
  return (await session.ask('schema-shape', [schema])).map((row) => [toText(row[0]), toText(row[1])]);
}
