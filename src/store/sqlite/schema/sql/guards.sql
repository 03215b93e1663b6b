-- Checks what the order and the immutability of the log depend on: one row for each broken promise, with what
-- doctor --fix can mend, or else a command that shows more. Parameters: none.
with required (kind, name, loss) as (values
  ('trigger', 'evstore_order', 'positions behind the head are no longer refused'),
  ('trigger', 'evstore_no_update', 'events can be changed'),
  ('trigger', 'evstore_no_delete', 'events can be deleted'),
  ('trigger', 'evstore_no_replace', 'events can be replaced'),
  ('trigger', 'evstore_versions', 'versions of a stream can have holes')
)
select kind || ' ' || name || ' on events is gone: ' || loss, 'guards', null
  from required
 where not exists (select 1 from sqlite_schema s where s.type = kind and s.name = required.name and s.tbl_name = 'events')
union all
select 'table evstore_never is gone: every insert into events fails', 'guards', null
 where not exists (select 1 from sqlite_schema where type = 'table' and name = 'evstore_never')
union all
select 'events.global_position is not an AUTOINCREMENT key: positions can be assigned twice', null, 'evstore export --help'
 where not exists (select 1 from sqlite_schema
                    where type = 'table' and name = 'events'
                      and lower(sql) like '%global_position integer primary key autoincrement%')
union all
select 'events is ahead of its sequence: positions can be assigned twice', 'sequence', null
 where coalesce((select seq from sqlite_sequence where name = 'events'), 0)
       < coalesce((select max(global_position) from events), 0)
union all
select 'the journal mode is ' || journal_mode || ', not wal: readers and writers block each other', 'journal', null
  from pragma_journal_mode
 where journal_mode not in ('wal', 'memory')
