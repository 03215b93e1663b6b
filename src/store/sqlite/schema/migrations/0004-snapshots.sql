-- State of a stream at a version, so that loading it need not start at the first event.

create table snapshots (
  stream_id text not null primary key,
  stream_type text not null default '',
  snapshot_data text not null,
  version integer not null,
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  constraint snapshots_snapshot_data_check check (json_valid(snapshot_data)),
  constraint snapshots_version_check check (version > 0)
) strict;
