-- The log, its global order, and its immutability. Any program may insert rows with version = max(version) + 1 of the
-- stream and leave the rest to the defaults: the database keeps the order and refuses changes.
-- event_data and metadata are text: digits, spelling and key order come back as they were written.
-- created_at is UTC with six digits of a second, so that the order of the text is the order of time. A foreign program may
-- write another spelling of ISO 8601, with an offset such as `+05`, `+0530` or `+05:30`: the index, and every statement that
-- compares times, converts it to this form. SQLite itself reads offsets of the last form only.

create table events (
  id text not null collate nocase default (lower(
    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||
    substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  stream_id text not null,
  stream_type text not null default '',
  event_type text not null,
  schema_version integer not null default 1,
  event_data text not null,
  metadata text not null default '{}',
  version integer not null,
  global_position integer primary key autoincrement,
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  constraint events_id_key unique (id),
  constraint events_stream_version_key unique (stream_id, version),
  constraint events_id_check check (length(id) = 36 and id like '________-____-____-____-____________'
    and id not glob '*[^-0-9a-fA-F]*'),
  constraint events_stream_id_check
    check (stream_id <> '' and length(stream_id) <= 255 and length(cast(stream_id as blob)) <= 512),
  constraint events_stream_type_check check (length(stream_type) <= 255),
  constraint events_event_type_check check (event_type <> '' and length(event_type) <= 255),
  constraint events_schema_version_check check (schema_version > 0 and schema_version <= 2147483647),
  constraint events_event_data_check check (json_valid(event_data) and length(cast(event_data as blob)) <= 1048576),
  constraint events_metadata_check check (json_valid(metadata) and length(cast(metadata as blob)) <= 1048576),
  constraint events_version_check check (version > 0 and version <= 9007199254740991),
  constraint events_global_position_check check (global_position > 0 and global_position <= 9007199254740991),
  constraint events_created_at_check
    check (case
      when created_at glob '??????????T????????.[0-9][0-9][0-9][0-9][0-9][0-9]Z'
        then strftime('%Y-%m-%dT%H:%M:%S', substr(created_at, 1, 19)) is substr(created_at, 1, 19)
          and created_at > '0001' and substr(created_at, 12, 2) < '24'
      else created_at glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9]*'
        and created_at > '0001' and created_at not glob '*[^-+0-9:.TZz ]*' and created_at not glob '* '
        and substr(created_at, 12, 2) < '24' and date(substr(created_at, 1, 10)) is substr(created_at, 1, 10)
        and coalesce(strftime('%Y', case
          when created_at glob '*[-+][0-9][0-9]' then created_at || ':00'
          when created_at glob '*[-+][0-9][0-9][0-9][0-9]'
            then substr(created_at, 1, length(created_at) - 2) || ':' || substr(created_at, -2)
          else created_at
        end), '') >= '0001'
    end)
) strict;

create index events_type_position_idx on events (event_type, global_position);

create index events_created_at_idx on events (
  case
    when created_at glob '??????????T????????.?????[0-9]Z' then created_at
    else strftime('%Y-%m-%dT%H:%M:%S', substr(created_at, 1, 19) || case
           when created_at glob '*[-+][0-9][0-9]:[0-9][0-9]' then substr(created_at, -6)
           when created_at glob '*[-+][0-9][0-9][0-9][0-9]' then substr(created_at, -5, 3) || ':' || substr(created_at, -2)
           when created_at glob '*:*[-+][0-9][0-9]' then substr(created_at, -3) || ':00'
           else ''
         end)
      || '.' || substr(iif(created_at glob '*:[0-9][0-9].[0-9]*', substr(created_at, 21,
           length(created_at) - 20 - length(ltrim(substr(created_at, 21), '0123456789'))), '')
           || '000000', 1, 6) || 'Z'
  end
);

-- Global order: there is one writer at a time and AUTOINCREMENT never assigns a position twice, so the order of positions
-- is the order of commits. Only a position chosen by the writer can lie behind the head; it is refused.
create trigger evstore_order after insert on events
when new.global_position < (select max(global_position) from events)
begin
  select raise(abort, 'EV004: a position behind the head is refused: the store assigns positions');
end;

-- Events stay as they are: UPDATE, DELETE and REPLACE are refused to every program.
create trigger evstore_no_update before update on events
begin
  select raise(abort, 'EV001: UPDATE on events is refused: events are immutable');
end;

create trigger evstore_no_delete before delete on events
begin
  select raise(abort, 'EV001: DELETE on events is refused: events are immutable');
end;

-- REPLACE deletes without firing delete triggers, unless a pragma of the connection says otherwise. A statement inside a
-- trigger takes over the conflict clause of the statement outside: this table refuses every row, so the insert below
-- does nothing under its own "or ignore", and aborts under the writer's "or replace".
create table evstore_never (
  never integer constraint "EV001: REPLACE on events is refused: events are immutable" check (never <> never)
) strict;

create trigger evstore_no_replace before insert on events
when exists (select 1 from events where id = new.id)
  or exists (select 1 from events where stream_id = new.stream_id and version = new.version)
  or exists (select 1 from events where global_position = new.global_position)
begin
  insert or ignore into evstore_never values (1);
end;

-- Whatever program inserts: the versions of a stream have no holes. Positions rise already: AUTOINCREMENT looks at the rows too.
create trigger evstore_versions after insert on events
when new.version > 1 and not exists (select 1 from events where stream_id = new.stream_id and version = new.version - 1)
begin
  select raise(abort, 'EV005: a version that does not follow the last one of its stream is refused');
end;
