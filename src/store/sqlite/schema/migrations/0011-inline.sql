-- Which events beyond a checkpoint are in the rows already, because the append that wrote them applied them too. A mark goes
-- when the checkpoint passes its event. rebuild: 0 for the live tables, otherwise the tables that stand beside them in
-- that rebuild.

create table evstore_inlined (
  projection text not null,
  rebuild integer not null default 0,
  global_position integer not null,
  constraint evstore_inlined_pkey primary key (projection, rebuild, global_position)
) strict, without rowid;

-- Until then appends leave their events to the runner: a swap is about to take the tables.
alter table evstore_projections add column inline_rests_until text;
