-- Returns the oids of the relations $2 in schema $1: name, oid. A name without a relation has no row.
select c.relname, c.oid
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = any($2::text[])
