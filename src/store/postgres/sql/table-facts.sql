-- What hangs on the tables $2 of schema $1: table, what (`self`, `index`, `carried`, `blocking`), kind, name. The row
-- `self` has the estimated number of rows as its name.
with t as (
  select c.*
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = any($2::text[]) and c.relkind in ('r', 'p')
)
select relname, 'self', relkind::text, reltuples::bigint::text from t
union all
select t.relname, 'index', 'index', x.relname
  from t
  join pg_index i on i.indrelid = t.oid
  join pg_class x on x.oid = i.indexrelid
union all
select t.relname, 'carried', 'owner', pg_get_userbyid(t.relowner) from t where t.relowner <> current_user::regrole
union all
select t.relname, 'carried', 'storage option', o from t, unnest(t.reloptions) o
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
select distinct t.relname, 'blocking',
       case v.relkind when 'm' then 'materialized view' when 'v' then 'view' else 'rule' end,
       case when v.relkind in ('m', 'v') then v.oid::regclass::text else r.rulename::text end
  from t
  join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid and d.classid = 'pg_rewrite'::regclass
  join pg_rewrite r on r.oid = d.objid
  join pg_class v on v.oid = r.ev_class
union all
select t.relname, 'blocking', 'foreign key', k.conname || ' on ' || k.conrelid::regclass
  from t
  join pg_constraint k on k.contype = 'f' and t.oid in (k.conrelid, k.confrelid)
union all
select t.relname, 'blocking', 'trigger', g.tgname from t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
union all
select t.relname, 'blocking', 'policy', p.polname from t join pg_policy p on p.polrelid = t.oid
union all
select t.relname, 'blocking', 'row security', t.relname from t where t.relrowsecurity or t.relforcerowsecurity
union all
select t.relname, 'blocking', 'publication', p.pubname
  from t
  join pg_publication_rel r on r.prrelid = t.oid
  join pg_publication p on p.oid = r.prpubid
union all
select t.relname, 'blocking', 'inheritance', i.inhrelid::regclass || ' inherits ' || i.inhparent::regclass
  from t
  join pg_inherits i on t.oid in (i.inhrelid, i.inhparent)
union all
select t.relname, 'blocking', 'partitioning', t.relname from t where t.relkind = 'p'
union all
select t.relname, 'blocking', 'replica identity', t.relname from t where t.relreplident <> 'd'
union all
select t.relname, 'blocking', 'statistics', s.stxname from t join pg_statistic_ext s on s.stxrelid = t.oid
union all
select t.relname, 'blocking', 'security label', l.label
  from t
  join pg_seclabel l on l.classoid = 'pg_class'::regclass and l.objoid = t.oid
union all
select distinct t.relname, 'blocking', i.type, i.identity
  from t
  join pg_depend d on (d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid)
                   or (d.refclassid = 'pg_type'::regclass
                       and d.refobjid in (select y.oid from pg_type y
                                           where t.reltype in (y.oid, y.typelem) and t.reltype <> 0)),
       lateral pg_identify_object(d.classid, d.objid, d.objsubid) i
 where d.deptype = 'n'
   and d.classid in ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_type'::regclass)
   and d.objid <> t.oid
order by 1, 2, 3, 4
