-- Returns the bytes of each table of schema $1 with its indexes: table, bytes.
select c.relname, pg_total_relation_size(c.oid)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'm')
 order by c.relname
