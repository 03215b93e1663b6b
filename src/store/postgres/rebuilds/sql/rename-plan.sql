-- Lists the indexes, owned sequences and constraints of table $1 whose names begin with $2, with their names beginning
-- with $3 instead: kind (`index`, `sequence`, `constraint`), name, new name. A constraint keeps its name where the new
-- one would be longer: the names of constraints belong to their table.
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
union all
select 'constraint', k.conname, $3 || substr(k.conname, length($2) + 1)
  from pg_constraint k
 where k.conrelid = $1::oid and starts_with(k.conname::text, $2) and k.contype not in ('p', 'u', 'x')
   and length($3) <= length($2)
   and not exists (
     select from pg_constraint other
      where other.conrelid = $1::oid and other.conname = $3 || substr(k.conname, length($2) + 1))
 order by 1, 2
