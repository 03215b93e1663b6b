-- The registered projections.

-- tables: the live ones, by the names readers use.
-- target: the live read model as the projection's own code names it; null when its rows are in this database.
-- parts: 1 has the checkpoint NAME, more have NAME#1/n ... NAME#n/n.
-- inline_rest_token: while the lease with this token is held, appends leave their events to the runner, because a swap is
-- about to take the tables.
create table evstore_projections (
  name text not null primary key,
  version integer not null,
  code_hash text not null,
  tables text not null,
  registered_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  target text,
  parts integer not null default 1,
  inline_rest_token integer,
  constraint evstore_projections_tables_check check (json_valid(tables)),
  constraint evstore_projections_parts_check check (parts between 1 and 256)
) strict;

-- Events beyond a checkpoint that are in the rows already, because the append that wrote them applied them too. A mark is
-- deleted when the checkpoint passes its event. rebuild: 0 for the live tables, otherwise the tables of that rebuild.
create table evstore_inlined (
  projection text not null,
  rebuild integer not null default 0,
  global_position integer not null,
  constraint evstore_inlined_pkey primary key (projection, rebuild, global_position)
) strict, without rowid;
