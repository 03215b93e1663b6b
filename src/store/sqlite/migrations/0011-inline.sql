-- Projections whose rows are written in the transaction of the append, and which events beyond the checkpoint already
-- are in their rows. rebuild: 0 for the live tables, otherwise the tables that stand beside them in that rebuild.

alter table evstore_projections add column mode text not null default 'async' check (mode in ('async', 'inline'));

create table evstore_inlined (
  projection text not null,
  rebuild integer not null default 0,
  global_position integer not null,
  constraint evstore_inlined_pkey primary key (projection, rebuild, global_position)
) strict, without rowid;
