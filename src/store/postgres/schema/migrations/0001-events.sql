-- The log. Any program may insert rows with version = max(version) + 1 of the stream and leave the rest to the defaults.
-- event_data and metadata are json, not jsonb: digits, spelling and key order come back as they were written.

create table public.events (
  id uuid not null default gen_random_uuid(),
  stream_id varchar(255) collate "C" not null,
  stream_type varchar(255) not null default '',
  event_type varchar(255) collate "C" not null,
  schema_version integer not null default 1,
  event_data json not null,
  metadata json not null default '{}',
  version bigint not null,
  global_position bigint generated always as identity
    (sequence name public.events_global_position_seq minvalue 1 maxvalue 281474976710655 cache 1),
  created_at timestamptz not null default clock_timestamp(),
  constraint events_pkey primary key (global_position),
  constraint events_id_key unique (id),
  constraint events_stream_version_key unique (stream_id, version),
  constraint events_stream_id_check check (stream_id <> '' and octet_length(stream_id) <= 512),
  constraint events_event_type_check check (event_type <> ''),
  constraint events_schema_version_check check (schema_version > 0),
  constraint events_version_check check (version > 0 and version <= 9007199254740991)
);

create index events_type_position_idx on public.events (event_type, global_position);

-- Time rises with position but for imported events, so a block range index serves and costs an append next to nothing.
create index events_created_at_idx on public.events using brin (created_at) with (pages_per_range = 16, autosummarize = on);
