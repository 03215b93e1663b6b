-- Events that a handler could not process, and the later events of their streams that wait behind them.

-- projection: the checkpoint that misses the event, of a projection or of a part.
-- rebuild: 0 for the live tables, otherwise the tables of that rebuild.
-- error: null for an event that only waits behind another.
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

-- Finds what waits, however many events were parked and settled. Names are in the order of their bytes, so that the parts
-- of a projection are next to each other whatever the language of the database.
create index evstore_parked_waiting_idx on public.evstore_parked (rebuild, projection collate "C", stream_id)
  where state = 'parked';
