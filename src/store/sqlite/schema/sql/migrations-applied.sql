-- Lists the applied migrations in order: version, name, checksum, time. Parameters: none.
select version, name, checksum, applied_at from evstore_migrations order by version
