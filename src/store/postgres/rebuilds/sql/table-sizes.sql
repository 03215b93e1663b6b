-- Returns the bytes of the tables $2 of schema $1 with their indexes: table, bytes.
select c.relname, pg_total_relation_size(c.oid)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = any($2::text[]) and c.relkind in ('r', 'p')
