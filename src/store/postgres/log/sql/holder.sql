-- Finds the transaction that holds the lowest floor of tag $1: pid, gid, application, state, age in milliseconds.
select l.pid, p.gid, a.application_name, coalesce(a.state, case when p.gid is not null then 'prepared' end),
       round(extract(epoch from clock_timestamp() - coalesce(a.xact_start, p.prepared)) * 1000)
  from pg_locks l
  left join pg_stat_activity a on a.pid = l.pid
  left join pg_prepared_xacts p on l.pid is null and exists (
       select from pg_locks t
        where t.locktype = 'transactionid' and t.transactionid = p.transaction
          and t.virtualtransaction = l.virtualtransaction)
 where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and (l.classid::bigint >> 16) = $1
   and l.database = (select oid from pg_database where datname = current_database())
 order by ((l.classid::bigint & 65535) << 32) | l.objid::bigint, coalesce(a.xact_start, p.prepared)
 limit 1
