-- The journal of rebuilds.

-- tables: [{"live","built","old","liveId","builtId","origin"}], the ids being oids. origin: the database they are valid in, and
-- the columns by which the tables are recognised in a database that was restored from a dump.
-- facts: what hung on the live tables when the rebuild began.
-- audit: as in subscription_checkpoints, of the tables that are not live: those being built, or those kept after a swap.
-- target, old_target: the read model that the rebuild fills and the one that the swap replaced, where they are not in this
-- database.
create table public.evstore_rebuilds (
  id bigint generated always as identity,
  projection text not null,
  version integer not null,
  code_hash text not null,
  state text not null,
  position bigint not null default 0,
  last_event_id uuid,
  tables json not null,
  facts text not null,
  old_version integer,
  old_code_hash text,
  old_position bigint,
  old_last_event_id uuid,
  owner text,
  owner_process text,
  token bigint not null default 0,
  lease_expires_at timestamptz,
  rate double precision,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  swapped_at timestamptz,
  keep_old_until timestamptz,
  audit json,
  target text,
  old_target text,
  constraint evstore_rebuilds_pkey primary key (id),
  constraint evstore_rebuilds_state_check
    check (state in ('planned', 'filling', 'ready', 'swapped', 'retired', 'aborted'))
);

create unique index evstore_rebuilds_unfinished_key on public.evstore_rebuilds (projection)
  where state in ('planned', 'filling', 'ready');
