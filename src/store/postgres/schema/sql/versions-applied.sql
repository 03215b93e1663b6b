-- The versions of the migrations that were applied, in order. Parameters: none.
select version from public.evstore_migrations order by version
