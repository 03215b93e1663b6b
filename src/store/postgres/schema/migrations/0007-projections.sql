-- Which projections there are, and the journal of their rebuilds.

create table public.evstore_projections (
  name text not null,
  version integer not null,
  code_hash text not null,
  tables json not null,
  registered_at timestamptz not null default clock_timestamp(),
  constraint evstore_projections_pkey primary key (name)
);

-- tables: [{"live","built","old","liveOid","builtOid"}]; facts: what hung on the live tables when the rebuild began.
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
  token bigint not null default 0,
  lease_expires_at timestamptz,
  rate double precision,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  swapped_at timestamptz,
  keep_old_until timestamptz,
  constraint evstore_rebuilds_pkey primary key (id),
  constraint evstore_rebuilds_state_check
    check (state in ('planned', 'filling', 'ready', 'swapped', 'retired', 'aborted'))
);

create unique index evstore_rebuilds_unfinished_key on public.evstore_rebuilds (projection)
  where state in ('planned', 'filling', 'ready');
