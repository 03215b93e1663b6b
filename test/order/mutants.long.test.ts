/** Stores with one thing wrong: the history checker must see it, or the reader's start must refuse. */
import { describe, expect, it } from 'vitest';
import type { EventBatch } from '../../src/domain/event.js';
import { type Raw, type TestStore, withTestStore } from '../support/engines.js';
import { checkHistory } from '../support/history.js';
import { allowMoreTime } from '../support/more-time.js';
import { type Reader, stress, toBatch } from '../support/stress.js';
import { mutate, stretch } from './mutate.js';

allowMoreTime('each mutant is put under load until the checker finds it out');

type Mutation = (raw: Raw) => Promise<unknown>;
type ReadOnce = (after: number) => Promise<EventBatch>;

const attempts = 20;
const columns = 'global_position, stream_id, version, event_type, id';
const readHighest = /select coalesce\(max[^;]*;/;
const readFloors = /select min\([^;]*;/;
const readIsolation = "if current_setting('transaction_isolation') <> 'read committed' then";
const returnEarly = /if highest <= after then\s+return highest;\s+end if;/;

/** The faults of the first of a few runs that has any. */
async function provoke(test: TestStore, read?: ReadOnce): Promise<string> {
  const readers: Record<string, Reader> | undefined = read && {
    mutant: async function* (after) {
      yield await read(after);
    },
  };
  for (let seed = 1; seed <= attempts; seed++) {
    // Each run has a log of its own.
    await test.raw.query('alter table events disable trigger evstore_immutable; truncate events');
    await test.raw.query('alter table events enable always trigger evstore_immutable');
    // Few enough writers that at times none of them holds a floor: some of what can go wrong only goes wrong then.
    const faults = checkHistory(await stress(test, { seed, writers: 3, rounds: 40, ...(readers && { readers }) }));
    if (faults.length > 0) return faults.join('\n');
  }
  return '';
}

const loss = /lost \d|where \d+ belongs|half of/;

const wrongFloors: Record<string, Mutation> = {
  'O1: without the floor': (raw) => raw.query('drop trigger "00_evstore_floor" on events'),
  'the floor taken after the positions': (raw) =>
    raw.query(
      `drop trigger "00_evstore_floor" on events;
       create trigger "00_evstore_floor" after insert on events for each statement execute function evstore_floor_events()`,
    ),
  'the floors read before the highest position': async (raw) => {
    const [row] = await raw.query(`select prosrc as text from pg_proc where proname = 'evstore_safe_head'`);
    const body = String(row?.text);
    const find = (part: RegExp) => part.exec(body)?.[0] ?? `${part} in evstore_safe_head`;
    await mutate(raw, 'evstore_safe_head', [
      [find(readFloors), ''],
      [find(returnEarly), ''],
      [find(readHighest), `${find(readFloors)} perform pg_sleep(random() * 0.01); ${find(readHighest)}`],
    ]);
  },
  'the floors left out of account': (raw) =>
    mutate(raw, 'evstore_safe_head', [['least(highest, lowest_floor)', 'least(highest, null)']]),
};

describe('what the history checker sees', () => {
  it.each(Object.entries(wrongFloors))('%s', (_, mutation) =>
    withTestStore('postgres', async (test) => {
      await mutation(test.raw);
      expect(await provoke(test)).toMatch(loss);
    }),
  );
});

describe('O3: readers that take the floor and the events from one snapshot', () => {
  it('a reader in one statement', () =>
    withTestStore('postgres', async (test) => {
      await stretch(test.raw);
      const reader = await test.connect();
      const read: ReadOnce = async (after) => {
        const rows = await reader.query(
          `with cap as materialized (select evstore_safe_head(-1) as cap)
           select cap, ${columns} from cap left join events on global_position > ${after} and global_position <= cap
            order by global_position`,
        );
        const found = rows.filter((row) => row.global_position !== null);
        return toBatch(found, Math.max(after, Number(rows[0]?.cap)));
      };
      expect(await provoke(test, read)).toMatch(loss);
    }));

  it('a reader in one STABLE function', () =>
    withTestStore('postgres', async (test) => {
      await test.raw.query('alter function evstore_safe_head stable');
      await test.raw.query(
        `create function read_on(after bigint) returns table (cap bigint, event events) language plpgsql stable as $$
         begin
           select evstore_safe_head(-1) into cap;
           perform pg_sleep(random() * 0.005);
           return query select cap, e from (select 1) as one
             left join events e on e.global_position > after and e.global_position <= cap order by e.global_position;
         end $$`,
      );
      await stretch(test.raw);
      const reader = await test.connect();
      const read: ReadOnce = async (after) => {
        const rows = await reader.query(`select cap, (event).* from read_on(${after})`);
        return toBatch(
          rows.filter((row) => row.id !== null),
          Math.max(after, Number(rows[0]?.cap)),
        );
      };
      expect(await provoke(test, read)).toMatch(loss);
    }));

  it('a reader in a REPEATABLE READ transaction', () =>
    withTestStore('postgres', async (test) => {
      await mutate(test.raw, 'evstore_safe_head', [[readIsolation, 'if false then']]);
      await stretch(test.raw);
      const reader = await test.connect();
      const read: ReadOnce = async (after) => {
        await reader.query('begin isolation level repeatable read');
        const [row] = await reader.query('select evstore_safe_head(-1) as cap');
        const cap = Number(row?.cap);
        const rows = await reader.query(
          `select ${columns} from events where global_position > ${after} and global_position <= ${cap}
            order by global_position`,
        );
        await reader.query('commit');
        return toBatch(rows, Math.max(after, cap));
      };
      expect(await provoke(test, read)).toMatch(loss);
    }));

  it('and the same harness around the right reader sees nothing', () =>
    withTestStore('postgres', async (test) => {
      await stretch(test.raw);
      const reader = await test.connect();
      const read: ReadOnce = async (after) => {
        const [row] = await reader.query('select evstore_safe_head(-1) as cap');
        const cap = Number(row?.cap);
        const rows = await reader.query(
          `select ${columns} from events where global_position > ${after} and global_position <= ${cap}
            order by global_position`,
        );
        return toBatch(rows, Math.max(after, cap));
      };
      expect(await provoke(test, read)).toBe('');
    }));
});
