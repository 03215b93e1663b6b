-- Lists what needs a column of table $1 (oid) that table $2 (oid) does not have: kind, name, column. Indexes, checks and
-- statistics are left out: they go with their column.
select distinct case when r.rulename <> '_RETURN' or r.oid is null then i.type
                     when v.relkind = 'm' then 'materialized view' else 'view' end,
       case when r.rulename = '_RETURN' then format('%I.%I', n.nspname, v.relname) else i.identity end, a.attname
  from pg_depend d
  join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
  left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
  left join pg_class v on v.oid = r.ev_class
  left join pg_namespace n on n.oid = v.relnamespace
  left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid,
       lateral pg_identify_object(d.classid, d.objid, 0) i
 where d.refclassid = 'pg_class'::regclass and d.refobjid = $1::oid and d.refobjsubid > 0
   and (d.classid in ('pg_rewrite'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_proc'::regclass,
                      'pg_publication_rel'::regclass)
        or k.confrelid = $1::oid)
   and not exists (select from pg_attribute b where b.attrelid = $2::oid and b.attname = a.attname and not b.attisdropped)
 order by 1, 2, 3
