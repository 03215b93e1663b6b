-- Lists views and materialized views that read the tables $1 (oids), directly or through others, the outermost first:
-- oid, kind (`v`, `m`), schema, name, owner.
with recursive reads as (
  select distinct v.oid as reader, d.refobjid as source
    from pg_class v
    join pg_rewrite r on r.ev_class = v.oid and r.rulename = '_RETURN'
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
                    and d.refobjid <> v.oid
   where v.relkind in ('v', 'm')
),
found as (
  select reader, 1 as depth from reads where source = any($1::oid[])
  union
  select r.reader, f.depth + 1 from reads r join found f on r.source = f.reader
)
select c.oid, c.relkind, n.nspname, c.relname, pg_get_userbyid(c.relowner)
  from found f
  join pg_class c on c.oid = f.reader
  join pg_namespace n on n.oid = c.relnamespace
 group by c.oid, n.nspname
 order by max(f.depth) desc, c.oid
