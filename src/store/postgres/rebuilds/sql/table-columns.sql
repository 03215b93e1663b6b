-- Lists the columns of table $2 in schema $1, in order: name, type, place in the primary key from 1 (null outside of
-- it), oid of the type and of the collation, whether = tells its values apart (if not, their text does). No rows without
-- such a table.
select a.attname, format_type(a.atttypid, a.atttypmod), k.place, a.atttypid, a.attcollation,
       t.typcategory in ('B', 'D', 'E', 'I', 'N', 'S', 'T') or t.typname in ('uuid', 'jsonb', 'bytea', 'tsvector')
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  left join pg_index i on i.indrelid = c.oid and i.indisprimary
  left join lateral unnest(i.indkey::int2[]) with ordinality as k (attnum, place) on k.attnum = a.attnum
 where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')
 order by a.attnum
