-- Returns about how many rows table $2 in schema $1 has, by the last VACUUM or ANALYZE; null before the first.
select nullif(c.reltuples, -1)::bigint
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = $2
