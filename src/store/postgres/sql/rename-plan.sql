-- Indexes and owned sequences of table $1 whose names begin with $2, and their names beginning with $3 instead: kind,
-- name, new name.
select case c.relkind when 'S' then 'sequence' else 'index' end, c.relname, $3 || substr(c.relname, length($2) + 1)
  from pg_class c
 where starts_with(c.relname::text, $2)
   and c.oid in (
     select indexrelid from pg_index where indrelid = $1::oid
     union all
     select objid from pg_depend
      where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and refobjid = $1::oid
        and deptype in ('a', 'i'))
   and c.relkind in ('i', 'S')
 order by c.relname
