-- Events that a handler could not take, and the later ones of their streams that wait behind them. rebuild: 0 for those of
-- the live tables, otherwise those of the tables that stand beside the live ones in that rebuild. error: null for one that
-- only waits behind another.

create table public.evstore_parked (
  projection text not null,
  rebuild bigint not null default 0,
  global_position bigint not null,
  event_id uuid not null,
  stream_id varchar(255) collate "C" not null,
  event_type varchar(255) collate "C" not null,
  state text not null,
  error text,
  attempts integer not null default 1,
  parked_at timestamptz not null default clock_timestamp(),
  constraint evstore_parked_pkey primary key (projection, rebuild, global_position),
  constraint evstore_parked_state_check check (state in ('parked', 'skipped', 'discarded'))
);
