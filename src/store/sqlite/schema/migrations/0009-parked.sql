-- Events that a handler could not take, and the later ones of their streams that wait behind them. rebuild: 0 for those of
-- the live tables, otherwise those of the tables that stand beside the live ones in that rebuild. error: null for one that
-- only waits behind another.

create table evstore_parked (
  projection text not null,
  rebuild integer not null default 0,
  global_position integer not null,
  event_id text not null,
  stream_id text not null,
  event_type text not null,
  state text not null,
  error text,
  attempts integer not null default 1,
  parked_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  constraint evstore_parked_pkey primary key (projection, rebuild, global_position),
  constraint evstore_parked_state_check check (state in ('parked', 'skipped', 'discarded'))
) strict, without rowid;
