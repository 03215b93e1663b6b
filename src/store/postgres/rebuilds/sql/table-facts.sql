-- Lists what hangs on the tables $2 of schema $1: table, what (`self`, `index`, `carried`, `blocking`), kind, name. The row
-- `self` has the estimated number of rows as its name. Anything unknown here that depends on a table blocks.
with recursive t as (
  select c.*
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = any($2::text[]) and c.relkind in ('r', 'p')
),
named as (
  select c.oid, c.relkind, case when n.nspname = $1 then quote_ident(c.relname) else format('%I.%I', n.nspname, c.relname) end as name,
         pg_has_role(c.relowner, 'usage') as is_ours
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
),
parts as (
  select t.oid as table_oid, d.objid as oid
    from t
    join pg_depend d on d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid
                    and d.deptype in ('a', 'i')
    join pg_class s on s.oid = d.objid and s.relkind = 'S'
),
reads as (
  select distinct v.oid as reader, v.relkind, d.refobjid as source
    from pg_class v
    join pg_rewrite r on r.ev_class = v.oid and r.rulename = '_RETURN'
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
                    and d.refobjid <> v.oid
   where v.relkind in ('v', 'm')
),
views as (
  select t.oid as table_oid, r.reader, r.relkind, false as is_through_view from t join reads r on r.source = t.oid
  union
  select v.table_oid, r.reader, r.relkind, v.is_through_view or v.relkind = 'v'
    from views v
    join reads r on r.source = v.reader
),
-- Named by statements elsewhere: in rules and policies of other relations, and in functions.
naming as (
  select distinct named.table_oid, named.relname, d.classid, d.objid
    from (
      select t.oid as table_oid, t.relname, t.oid from t
      union all
      select t.oid, t.relname, v.reader from t join views v on v.table_oid = t.oid and v.relkind = 'm'
    ) as named
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = named.oid
),
-- The types of its rows, and of arrays of them.
types as (
  select t.oid as table_oid, a.oid
    from t
    join pg_type y on y.oid = t.reltype,
         lateral (values (y.oid), (y.typarray)) as a(oid)
),
-- By class and object, so that the catalog is read by its index.
depending as (
  select own.table_oid, d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid
    from (
      select oid as table_oid, 'pg_class'::regclass as class, oid from t
      union all
      select table_oid, 'pg_class'::regclass, oid from parts
      union all
      select table_oid, 'pg_type'::regclass, oid from types
    ) as own
    join pg_depend d on d.refclassid = own.class and d.refobjid = own.oid
),
found as (
  select relname, 'self' as what, relkind::text as kind, reltuples::bigint::text as name from t
  union all
  select t.relname, 'index', 'index', x.relname
    from t
    join pg_index i on i.indrelid = t.oid
    join pg_class x on x.oid = i.indexrelid
  union all
  select t.relname, 'blocking', 'invalid index', x.relname
    from t
    join pg_index i on i.indrelid = t.oid and not i.indisvalid
    join pg_class x on x.oid = i.indexrelid
  union all
  select t.relname, 'carried', 'cluster', x.relname
    from t
    join pg_index i on i.indrelid = t.oid and i.indisclustered
    join pg_class x on x.oid = i.indexrelid
  union all
  select t.relname, 'carried', 'owner', pg_get_userbyid(t.relowner) from t where t.relowner <> current_user::regrole
  union all
  select t.relname, 'carried', 'storage option', o from t, unnest(t.reloptions) o
  union all
  select t.relname, 'carried', 'tablespace', s.spcname from t join pg_tablespace s on s.oid = t.reltablespace
  union all
  select t.relname, 'carried', 'unlogged table', t.relname from t where t.relpersistence = 'u'
  union all
  select t.relname, 'carried', 'grant',
         a.privilege_type || ' to ' || case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end
    from t, aclexplode(t.relacl) a
   where a.grantee <> t.relowner
  union all
  select t.relname, 'carried', 'grant', a.privilege_type || ' (' || c.attname || ') to ' ||
         case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end
    from t
    join pg_attribute c on c.attrelid = t.oid and c.attnum > 0 and not c.attisdropped,
         aclexplode(c.attacl) a
   where a.grantee <> t.relowner
  union all
  select t.relname, 'carried', 'comment', coalesce(c.attname, t.relname)
    from t
    join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = t.oid
    left join pg_attribute c on c.attrelid = t.oid and c.attnum = d.objsubid and d.objsubid > 0
  union all
  select t.relname, 'carried', 'statistics target', c.attname
    from t
    join pg_attribute c on c.attrelid = t.oid and c.attnum > 0 and c.attstattarget >= 0
  union all
  select t.relname, 'carried', 'column option', c.attname || ' ' || o
    from t
    join pg_attribute c on c.attrelid = t.oid and c.attnum > 0,
         unnest(c.attoptions) o
  union all
  select t.relname,
         case when is_through_view and v.relkind = 'm' or not is_through_view and not n.is_ours then 'blocking' else 'carried' end,
         case when v.relkind = 'm' then 'materialized view' else 'view' end,
         n.name || case when is_through_view and v.relkind = 'm' then ' (through another view)'
                        when not is_through_view and not n.is_ours then ' (of another owner)'
                        else '' end
    from views v
    join t on t.oid = v.table_oid
    join named n on n.oid = v.reader
  union all
  select t.relname, 'carried', 'rule', quote_ident(r.rulename) || ' on ' || n.name
    from t
    join pg_rewrite r on r.rulename <> '_RETURN'
                     and (r.ev_class = t.oid
                          or r.oid in (select objid from naming d
                                        where d.table_oid = t.oid and d.classid = 'pg_rewrite'::regclass))
    join named n on n.oid = r.ev_class
  union all
  select t.relname, 'carried', 'policy', quote_ident(p.polname) || case when p.polrelid = t.oid then '' else ' on ' || n.name end
    from t
    join pg_policy p on p.polrelid = t.oid
                     or p.oid in (select objid from naming d where d.table_oid = t.oid and d.classid = 'pg_policy'::regclass)
    join named n on n.oid = p.polrelid
  union all
  select d.relname, case when p.prokind in ('f', 'p') then 'carried' else 'blocking' end, 'function', i.identity
    from naming d
    join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.objid,
         lateral pg_identify_object(d.classid, d.objid, 0) i
  union all
  -- Keys with PERIOD, and parts of another key, cannot be created again from their definition.
  select t.relname,
         case when k.conparentid <> 0 or pg_get_constraintdef(k.oid) like '%PERIOD %' or n.relkind = 'p' then 'blocking'
              else 'carried' end, 'foreign key', k.conname || ' on ' || n.name
    from t
    join pg_constraint k on k.contype = 'f' and t.oid in (k.conrelid, k.confrelid)
    join named n on n.oid = k.conrelid
  union all
  select t.relname, 'carried', case k.contype when 'c' then 'check' else 'constraint' end, k.conname
    from t
    join pg_constraint k on k.conrelid = t.oid and k.contype in ('c', 'u', 'x')
  union all
  select t.relname, 'carried', 'default', a.attname
    from t
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and a.attidentity = '' and a.attgenerated = ''
    join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
   where not exists (select from pg_depend p
                      where p.classid = 'pg_attrdef'::regclass and p.objid = d.oid
                        and p.refobjid in (select oid from parts where table_oid = t.oid))
  union all
  select t.relname, 'carried', 'sequence', n.name from t join parts p on p.table_oid = t.oid join named n on n.oid = p.oid
  union all
  select t.relname, 'carried', 'trigger', g.tgname from t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
  union all
  select t.relname, 'carried', 'row security', case when t.relforcerowsecurity then 'forced' else 'enabled' end
    from t
   where t.relrowsecurity or t.relforcerowsecurity
  union all
  select t.relname, 'carried', 'publication', p.pubname
    from t
    join pg_publication_rel r on r.prrelid = t.oid
    join pg_publication p on p.oid = r.prpubid
  union all
  select t.relname, 'carried', 'replica identity',
         case t.relreplident when 'f' then 'full' when 'n' then 'nothing' else 'index' end
    from t
   where t.relreplident <> 'd'
  union all
  select t.relname, 'carried', 'statistics', s.stxname from t join pg_statistic_ext s on s.stxrelid = t.oid
  union all
  select t.relname, 'blocking', 'inheritance', c.name || ' inherits ' || p.name
    from t
    join pg_inherits i on t.oid in (i.inhrelid, i.inhparent)
    join named c on c.oid = i.inhrelid
    join named p on p.oid = i.inhparent
  union all
  select t.relname, 'blocking', 'partitioning', t.relname from t where t.relkind = 'p'
  union all
  select t.relname, 'blocking', 'security label', l.label
    from t
    join pg_seclabel l on l.classoid = 'pg_class'::regclass and l.objoid = t.oid
  union all
  select t.relname, 'blocking', i.type, i.identity
    from t
    join depending d on d.table_oid = t.oid,
         lateral pg_identify_object(d.classid, d.objid, d.objsubid) i
   where not exists (
     select from pg_class c
      where d.classid = 'pg_class'::regclass and c.oid = d.objid
        and (c.oid in (t.oid, t.reltoastrelid) or c.oid in (select oid from parts where table_oid = t.oid)
             or c.oid in (select indexrelid from pg_index x where x.indrelid = t.oid)))
     and not (d.classid = 'pg_type'::regclass and d.objid in (select oid from types where table_oid = t.oid))
     and not exists (select from pg_attrdef a where d.classid = 'pg_attrdef'::regclass and a.oid = d.objid and a.adrelid = t.oid)
     and not exists (
       select from pg_constraint k
        where d.classid = 'pg_constraint'::regclass and k.oid = d.objid and t.oid in (k.conrelid, k.confrelid))
     and not exists (
       select from pg_trigger g
        where d.classid = 'pg_trigger'::regclass and g.oid = d.objid and (g.tgisinternal or g.tgrelid = t.oid))
     and not exists (
       select from pg_statistic_ext s
        where d.classid = 'pg_statistic_ext'::regclass and s.oid = d.objid and s.stxrelid = t.oid)
     and not (d.classid in ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
              and d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid)
)
select distinct relname, what, kind, name from found order by 1, 2, 3, 4
