-- The journal of rebuilds.

-- tables: [{"live","built","old","liveId","builtId"}], the ids being hashes of the statements that made the tables.
-- facts: what hung on the live tables when the rebuild began.
-- audit: as in subscription_checkpoints, of the tables that are not live: those being built, or those kept after a swap.
-- target, old_target: the read model that the rebuild fills and the one that the swap replaced, where they are not in this
-- database.
create table evstore_rebuilds (
  id integer primary key autoincrement,
  projection text not null,
  version integer not null,
  code_hash text not null,
  state text not null,
  position integer not null default 0,
  last_event_id text,
  tables text not null,
  facts text not null,
  old_version integer,
  old_code_hash text,
  old_position integer,
  old_last_event_id text,
  owner text,
  owner_process text,
  token integer not null default 0,
  lease_expires_at text,
  rate real,
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  updated_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  swapped_at text,
  keep_old_until text,
  audit text,
  target text,
  old_target text,
  constraint evstore_rebuilds_tables_check check (json_valid(tables)),
  constraint evstore_rebuilds_state_check
    check (state in ('planned', 'filling', 'ready', 'swapped', 'retired', 'aborted'))
) strict;

create unique index evstore_rebuilds_unfinished_key on evstore_rebuilds (projection)
  where state in ('planned', 'filling', 'ready');
