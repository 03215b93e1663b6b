/** Reads the tables of read models as they are, for people who look. */
import type { StoredValue } from '../../../domain/read-model.js';
import { writeRowCandidates } from '../../shared/row-candidates.js';
import { toBigInteger, toInteger, toOptional, toText, toTimestamp } from '../../shared/rows.js';
import { keyColumnsOf, noSuchTable, toNamedRow, wrongKey } from '../../shared/tables.js';
import type { TableColumn, TableDescription, TableQuery, TableReader } from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { sqlState } from '../connection/errors.js';
import { fillIn, quoteIdentifier } from '../connection/literals.js';
import type { Parameter } from '../connection/values.js';
import { qualify } from './read-model.js';

const rowsPerPage = 500;
/** Before the first ANALYZE, the number of rows is estimated by those in the first blocks of 8 kB. */
const countedBlocks = 100;
const undefinedTable = '42P01';

export function openTableReader(database: Database): TableReader {
  const source = (table: string) => qualify(database.schema, table);
  return {
    describe: (table) => describe(database, table),
    async countUpTo(table, most) {
      const text = `select count(*) from (select from ${source(table)} limit $1) found`;
      const [row] = await database.query(text, [most]);
      return toInteger(row?.[0]);
    },
    async estimate(table) {
      const [row] = await database.ask('table-estimate', [database.schema, table]);
      const [rows, blocks] = [toOptional(row?.[0], toInteger), toOptional(row?.[1], toInteger)];
      if (rows !== null || blocks === null) return rows;
      const first = Math.min(blocks, countedBlocks);
      if (first === 0) return 0;
      const [counted] = await database.query(`select count(*) from ${source(table)} where ctid < '(${first},0)'`, []);
      return Math.round((toInteger(counted?.[0]) * blocks) / first);
    },
    read: (table, query) =>
      database.snapshot(
        (session) => readWithin(session, table, query),
        `set local timezone = 'UTC'; set local cursor_tuple_fraction = ${fractionOf(query)}`,
      ),
  };
}

/**
 * What share of the rows the plan is made for: all, the first ones, which the index of the key has at once, or those that
 * another index may find.
 */
function fractionOf({ order, candidates }: TableQuery): number {
  if (order === 'any') return 1;
  return candidates === undefined ? 0.00001 : 0.1;
}

async function describe(database: Database, table: string): Promise<TableDescription> {
  const rows = await database.ask('table-columns', [database.schema, table]);
  if (rows.length === 0) throw noSuchTable(table);
  const columns = rows.map((row) => {
    const [name, type] = [toText(row[0]), toText(row[1])];
    return { name, type, kind: kindOf(type), keyPlace: toOptional(row[2], toInteger) };
  });
  return { columns, isExact: true };
}

function kindOf(type: string): TableColumn['kind'] {
  if (/^(text|character varying(\(\d+\))?)$/.test(type)) return 'text';
  if (/^(smallint|integer)$/.test(type)) return 'integer';
  if (/^(real|double precision)$/.test(type)) return 'real';
  if (/^numeric(\(.*\))?$/.test(type)) return 'numeric';
  if (/^timestamp(\(\d\))? with time zone$/.test(type)) return 'timestamp';
  if (type === 'jsonb') return 'json';
  return type === 'bigint' || type === 'boolean' || type === 'json' || type === 'uuid' ? type : 'other';
}

async function* readWithin(session: Session, table: string, query: TableQuery) {
  const parameters: Parameter[] = [];
  const text = selectRows(session, table, query, parameters);
  try {
    // A cursor takes no parameters.
    await session.script(`declare evstore_rows no scroll cursor for ${fillIn(text, parameters)}`);
  } catch (error) {
    const state = sqlState(error) ?? '';
    if (state === undefinedTable) throw noSuchTable(table);
    throw query.keys !== undefined && state.startsWith('22') ? wrongKey(table, error) : error;
  }
  for (;;) {
    const rows = await session.query(`fetch forward ${rowsPerPage} from evstore_rows`);
    yield rows.map((row) => toNamedRow(query.columns, row, toValue));
    if (rows.length < rowsPerPage) return;
  }
}

function selectRows(
  session: Session,
  table: string,
  { columns, keys, candidates, order: by }: TableQuery,
  parameters: Parameter[],
): string {
  const place = (value: string) => `$${parameters.push(value)}`;
  const selected = columns.map(({ name, kind }) => {
    const column = quoteIdentifier(name);
    return kind === 'timestamp' ? `to_json(${column} at time zone 'UTC') #>> '{}'` : `${column}::text`;
  });
  const key = keyColumnsOf(columns).map(({ name }) => `t.${quoteIdentifier(name)}`);
  const wanted = keys?.map((texts) => key.map((name, at) => `${name} = ${place(texts[at] ?? '')}`).join(' and '));
  const narrowed =
    candidates &&
    writeRowCandidates(candidates, columns, {
      column: quoteIdentifier,
      place,
      numbers: ['integer', 'bigint', 'numeric'],
      // Times outside these years have other spellings, which the condition compares as texts.
      moment: (column, operator, text) =>
        `${column} ${operator} ${place(text)}::timestamptz or ${column} >= '9999-12-31Z' or ${column} < '0001-01-02Z'`,
    });
  const conditions = [
    ...(wanted === undefined ? [] : [wanted.join(' or ')]),
    ...(narrowed === undefined ? [] : [narrowed]),
  ];
  const where = conditions.length === 0 ? '' : ` where ${conditions.map((each) => `(${each})`).join(' and ')}`;
  const order = key.length === 0 || by === 'any' ? '' : ` order by ${key.join(', ')}`;
  return `select ${selected.join(', ')} from ${qualify(session.schema, table)} as t${where}${order}`;
}

function toValue({ kind }: TableColumn, text: string | null | undefined): StoredValue {
  if (text === null || text === undefined) return null;
  if (kind === 'integer' || kind === 'bigint') return toBigInteger(text);
  if (kind === 'real') return Number.isFinite(Number(text)) ? Number(text) : text;
  if (kind === 'boolean') return text === 'true';
  return kind === 'timestamp' ? toTimestamp(text) : text;
}
