-- Lists what table $1 (oid) has that may be named after it: kind (`index`, `sequence`, `constraint`), name.
select case c.relkind when 'S' then 'sequence' else 'index' end, c.relname
  from pg_class c
 where c.oid in (
     select indexrelid from pg_index where indrelid = $1::oid
     union all
     select objid from pg_depend
      where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and refobjid = $1::oid
        and deptype in ('a', 'i'))
   and c.relkind in ('i', 'S')
union all
select 'constraint', conname
  from pg_constraint
 where conrelid = $1::oid and contype not in ('p', 'u', 'x')
 order by 1, 2
