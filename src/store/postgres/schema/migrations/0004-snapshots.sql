-- State of a stream at a version, so that loading it need not start at the first event.

create table public.snapshots (
  stream_id varchar(255) collate "C" not null,
  stream_type varchar(255) not null default '',
  snapshot_data json not null,
  version bigint not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint snapshots_pkey primary key (stream_id),
  constraint snapshots_version_check check (version > 0)
);
