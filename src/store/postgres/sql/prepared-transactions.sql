-- Prepared transactions of this database that nobody ended for $1 seconds: gid, owner, age in seconds.
select gid, owner, round(extract(epoch from clock_timestamp() - prepared))
  from pg_prepared_xacts
 where database = current_database() and clock_timestamp() - prepared > $1 * interval '1 second'
 order by prepared
