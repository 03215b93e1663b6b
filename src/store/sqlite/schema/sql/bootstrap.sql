-- Creates the two tables that exist before any migration. Parameters: none.
create table if not exists evstore_meta (
  only_row integer primary key default 1 check (only_row = 1),
  last_token integer not null default 0,
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')
) strict;
create table if not exists evstore_migrations (
  version integer primary key,
  name text not null,
  checksum text not null,
  applied_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')
) strict;
insert or ignore into evstore_meta (only_row) values (1);
