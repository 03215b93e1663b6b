/** Mends what a restore, a copy or a person left behind. Repeating it changes nothing. */
import { checksumOf, type MigrationFile } from '../../shared/migrations.js';
import { assertSameShape, findStatements, type ShapeLine } from '../../shared/repair.js';
import { toInteger, toText } from '../../shared/rows.js';
import type { FixablePart } from '../../store.js';
import { Database, type Session } from '../connection/database.js';
import { quoteLiteral } from '../connection/literals.js';

/** As `SchemaAdmin.fix`. */
export async function fix(
  database: Database,
  files: readonly MigrationFile[],
  part: FixablePart,
): Promise<string | null> {
  database.assertWritable();
  if (part === 'journal') return fixJournal(database);
  const work = {
    guards: (session: Session) => fixGuards(session, files),
    schema: (session: Session) => fixSchema(session, files),
    sequence: fixSequence,
  }[part];
  return database.transaction(work);
}

function fixSequence(session: Session): string | null {
  const [row] = session.ask('fix-sequence');
  return row === undefined ? null : `the sequence of positions continues after ${toInteger(row[0])}`;
}

/** The mode is kept in the file; it cannot be set inside a transaction. */
async function fixJournal(database: Database): Promise<string | null> {
  const readMode = () => toText(database.query('select journal_mode from pragma_journal_mode')[0]?.[0]);
  const before = await database.retry(readMode);
  if (['wal', 'memory'].includes(before)) return null;
  await database.retry(() => database.execute('pragma journal_mode = wal'));
  return `the journal mode is ${await database.retry(readMode)}; it was ${before}`;
}

function fixGuards(session: Session, files: readonly MigrationFile[]): string | null {
  const before = session.ask('guards');
  installGuards(session, files);
  const left = new Set(session.ask('guards').map(([detail]) => detail));
  const mended = before.filter(([detail]) => !left.has(detail ?? null)).map(([detail]) => toText(detail));
  return mended.length === 0 ? null : `restored, because ${mended.join('; ')}`;
}

/** Triggers by the text of the migrations, and the table that one of them needs. */
function installGuards(session: Session, files: readonly MigrationFile[]): void {
  const tables = findStatements(files, /^create table evstore_never [\s\S]*?;$/gm).map((text) =>
    text.replace(/^create table/, 'create table if not exists'),
  );
  const triggers = findStatements(files, /^create trigger [\s\S]*?^end;$/gm).map(
    (text) => `drop trigger if exists ${/^create trigger (\S+)/.exec(text)?.[1]};\n${text}`,
  );
  session.execute([...tables, ...triggers].join('\n'));
  session.ask('fix-sequence');
}

/** Makes the tables in memory, to see whether they are the same. */
function fixSchema(session: Session, files: readonly MigrationFile[]): string | null {
  const stored = new Map(session.ask('migrations-applied').map((row) => [toInteger(row[0]), row]));
  const drifted = files.filter((file) => {
    const row = stored.get(file.version);
    return row !== undefined && row[1] === file.name && row[2] !== checksumOf(file);
  });
  if (drifted.length === 0) return null;
  assertSameShape(makeShape(files), readShape(session));
  installGuards(session, files);
  for (const file of drifted) {
    session.execute(
      `update evstore_migrations set checksum = ${quoteLiteral(checksumOf(file))} where version = ${file.version}`,
    );
  }
  return `the tables are as the migrations make them, and the triggers are restored: ${drifted.map(({ name }) => name).join(', ')}`;
}

function makeShape(files: readonly MigrationFile[]): readonly ShapeLine[] {
  const made = new Database({ path: ':memory:', isMemory: true, location: 'sqlite::memory:' }, false, true);
  for (const file of files) made.execute(file.readText());
  return readShape(made);
}

function readShape(session: Session): readonly ShapeLine[] {
  return session.ask('schema-shape').map((row) => [toText(row[0]), toText(row[1])]);
}
