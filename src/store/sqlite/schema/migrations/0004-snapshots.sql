-- State of a stream at a version, so that loading it need not start at the first event. Any program may keep its own here.
-- evstore also says of which aggregate, by which code, and up to which event; a snapshot without that is of another program.

create table snapshots (
  stream_id text not null primary key,
  stream_type text not null default '',
  snapshot_data text not null,
  version integer not null,
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  aggregate text,
  state_version integer,
  code_hash text,
  event_id text,
  constraint snapshots_snapshot_data_check check (json_valid(snapshot_data)),
  constraint snapshots_version_check check (version > 0),
  constraint snapshots_origin_check check (
    (aggregate is null) + (state_version is null) + (code_hash is null) + (event_id is null) in (0, 4))
) strict;
