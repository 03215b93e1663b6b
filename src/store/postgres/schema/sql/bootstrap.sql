-- Creates the two tables that exist before any migration. Parameters: none.
create table if not exists public.evstore_meta (
  only_row boolean primary key default true check (only_row),
  tag integer not null,
  created_at timestamptz not null default clock_timestamp()
);
create table if not exists public.evstore_migrations (
  version integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default clock_timestamp()
);
