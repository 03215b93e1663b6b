-- Lists what names the relations $1 (oids) without being replaced: kind, name, the statement that makes it name the
-- relations that have their names when it runs, oid of a view (null for others).
with naming as (
  select distinct classid, objid
    from pg_depend
   where refclassid = 'pg_class'::regclass and refobjid = any($1::oid[])
)
select kind, name, statement, case kind when 'view' then oid end
  from (
    select 1 as place, 'view' as kind, format('%I.%I', n.nspname, v.relname) as name, v.oid,
           format('create or replace view %I.%I', n.nspname, v.relname)
           || coalesce(' with (' || array_to_string(nullif(v.reloptions, '{}'), ', ') || ')', '')
           || ' as ' || pg_get_viewdef(v.oid) as statement
      from naming d
      join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.rulename = '_RETURN'
      join pg_class v on v.oid = r.ev_class and v.relkind = 'v'
      join pg_namespace n on n.oid = v.relnamespace
    union all
    select 2, 'rule', format('%I on %I.%I', r.rulename, n.nspname, c.relname), r.oid,
           'CREATE OR REPLACE' || substr(pg_get_ruledef(r.oid), length('CREATE') + 1)
      from naming d
      join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.rulename <> '_RETURN'
      join pg_class c on c.oid = r.ev_class and c.oid <> all($1::oid[])
      join pg_namespace n on n.oid = c.relnamespace
    union all
    select 3, 'policy', format('%I on %I.%I', p.polname, n.nspname, c.relname), p.oid,
           format('alter policy %I on %I.%I', p.polname, n.nspname, c.relname)
           || coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
           || coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
      from naming d
      join pg_policy p on d.classid = 'pg_policy'::regclass and p.oid = d.objid and p.polrelid <> all($1::oid[])
      join pg_class c on c.oid = p.polrelid
      join pg_namespace n on n.oid = c.relnamespace
    union all
    select 4, 'function', p.oid::regprocedure::text, p.oid, pg_get_functiondef(p.oid)
      from naming d
      join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.objid and p.prokind in ('f', 'p')
  ) as statements
 order by place, oid
