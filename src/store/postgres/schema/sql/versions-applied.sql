-- Lists the applied migrations in order: version, name. Parameters: none.
select version, name from public.evstore_migrations order by version
