-- Lists the schemas of scratch stores by name: name, bytes of the tables with their indexes, whether a connection that has
-- the name of the schema is open. Parameter: $1 the comment that such a schema has.
select n.nspname, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint,
       exists (
         select 1 from pg_stat_activity where datname = current_database() and application_name = n.nspname::text
       )
  from pg_namespace n
  left join pg_class c on c.relnamespace = n.oid and c.relkind = 'r'
 where n.nspname ~ '^evstore_bench_[0-9a-f]{12}$'
   and obj_description(n.oid, 'pg_namespace') = $1
 group by n.oid, n.nspname
 order by n.nspname
