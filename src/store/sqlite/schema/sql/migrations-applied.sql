-- Migrations that were applied: version, name, checksum, time; by version. Parameters: none.
select version, name, checksum, applied_at from evstore_migrations order by version
