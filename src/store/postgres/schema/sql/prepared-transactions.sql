-- Lists the prepared transactions of this database, the oldest first: gid, owner, age in seconds. Parameters: none.
select gid, owner, round(extract(epoch from clock_timestamp() - prepared))
  from pg_prepared_xacts
 where database = current_database()
 order by prepared
