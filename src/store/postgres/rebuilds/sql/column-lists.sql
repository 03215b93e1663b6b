-- Returns the columns of the tables $1 (oids), as a text that does not depend on settings: oid, columns.
select a.attrelid, string_agg(concat_ws(' ', a.attname, n.nspname, t.typname, a.atttypmod), ', ' order by a.attnum)
  from pg_attribute a
  join pg_type t on t.oid = a.atttypid
  join pg_namespace n on n.oid = t.typnamespace
 where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
 group by a.attrelid
