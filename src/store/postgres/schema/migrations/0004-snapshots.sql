-- State of a stream at a version, so that loading it need not start at the first event. Any program may keep its own here.
-- evstore also says of which aggregate, by which code, and up to which event; a snapshot without that is of another program.

create table public.snapshots (
  stream_id varchar(255) collate "C" not null,
  stream_type varchar(255) not null default '',
  snapshot_data json not null,
  version bigint not null,
  created_at timestamptz not null default clock_timestamp(),
  aggregate varchar(255) collate "C",
  state_version integer,
  code_hash text,
  event_id uuid,
  constraint snapshots_pkey primary key (stream_id),
  constraint snapshots_version_check check (version > 0),
  constraint snapshots_origin_check check (num_nulls(aggregate, state_version, code_hash, event_id) in (0, 4))
);
