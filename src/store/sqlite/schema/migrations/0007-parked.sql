-- Events that a handler could not process, and the later events of their streams that wait behind them.

-- projection: the checkpoint that misses the event, of a projection or of a part.
-- rebuild: 0 for the live tables, otherwise the tables of that rebuild.
-- error: null for an event that only waits behind another.
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

-- Finds what waits, however many events were parked and settled.
create index evstore_parked_waiting_idx on evstore_parked (rebuild, projection, stream_id)
  where state = 'parked';
