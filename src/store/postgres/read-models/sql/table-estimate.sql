-- Returns about how many rows table $2 in schema $1 has, by the last VACUUM or ANALYZE; null before the first.
-- Then how many blocks it has; null unless it is an ordinary table.
select nullif(c.reltuples, -1)::bigint,
       case when c.relkind = 'r' then pg_relation_size(c.oid) / current_setting('block_size')::bigint end
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = $2
