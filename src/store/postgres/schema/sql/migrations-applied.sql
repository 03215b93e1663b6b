-- Lists the applied migrations in order: version, name, checksum, time. Parameters: none.
select version, name, checksum, to_json(applied_at at time zone 'UTC') #>> '{}'
  from public.evstore_migrations
 order by version
