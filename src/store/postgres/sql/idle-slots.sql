-- Replication slots nobody reads that keep more than $1 bytes of the write-ahead log: name, megabytes kept.
select slot_name, round(kept / 1048576)
  from (select slot_name,
               case when pg_is_in_recovery() then 0 else pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) end as kept
          from pg_replication_slots
         where not active and restart_lsn is not null) as slots
 where kept > $1
 order by kept desc
