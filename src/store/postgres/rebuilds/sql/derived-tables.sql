-- Lists the tables of schema $1 that are named as a rebuild names its tables: name, bytes with their indexes.
select c.relname, pg_total_relation_size(c.oid)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p') and c.relname ~ '__(v[0-9]+|old)_[0-9]+$'
 order by 1
