-- Returns those of the names $2 that a new table in schema $1 could not have: name.
select c.relname
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = any($2::text[])
union
-- A table needs a row type of its name too. The name of an array type gives way.
select t.typname
  from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
 where n.nspname = $1 and t.typname = any($2::text[]) and t.typrelid = 0 and t.typcategory <> 'A'
 order by 1
