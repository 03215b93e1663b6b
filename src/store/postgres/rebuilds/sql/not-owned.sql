-- Lists what a swap of the tables $2 of schema $1 changes and this account does not own: account, kind, name, owner, the
-- statement that makes this account the owner (null where it belongs to something other than a read model). A member of
-- the owning role counts as the owner. Views are left out: `table-facts` lists those of other owners. Last, a superuser: the
-- owner alone may not give a table to a role that it is not a member of.
with t as (
  select c.oid, c.relowner, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = any($2::text[]) and c.relkind in ('r', 'p')
),
naming as (
  select distinct d.classid, d.objid
    from t
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid
),
others as (
  select 1 as place, 'table' as kind, t.name, t.relowner as owner, format('alter table %s owner to %I', t.name, current_user) as change
    from t
  union
  select 2, 'foreign key', format('%I on %I.%I', k.conname, n.nspname, c.relname), c.relowner, null
    from t
    join pg_constraint k on k.contype = 'f' and k.confrelid = t.oid and k.conrelid not in (select oid from t)
    join pg_class c on c.oid = k.conrelid
    join pg_namespace n on n.oid = c.relnamespace
  union
  select 3, 'rule', format('%I on %I.%I', r.rulename, n.nspname, c.relname), c.relowner, null
    from naming d
    join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.rulename <> '_RETURN'
    join pg_class c on c.oid = r.ev_class and c.oid not in (select oid from t)
    join pg_namespace n on n.oid = c.relnamespace
  union
  select 4, 'policy', format('%I on %I.%I', p.polname, n.nspname, c.relname), c.relowner, null
    from naming d
    join pg_policy p on d.classid = 'pg_policy'::regclass and p.oid = d.objid
    join pg_class c on c.oid = p.polrelid and c.oid not in (select oid from t)
    join pg_namespace n on n.oid = c.relnamespace
  union
  select 5, 'function', p.oid::regprocedure::text, p.proowner, null
    from naming d
    join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.objid and p.prokind in ('f', 'p')
  union
  select 6, 'publication', p.pubname, p.pubowner, null
    from t
    join pg_publication_rel r on r.prrelid = t.oid
    join pg_publication p on p.oid = r.prpubid
)
select current_user, kind, name, pg_get_userbyid(owner), change,
       (select rolname from pg_roles where rolsuper and rolcanlogin order by oid limit 1)
  from others
 where not pg_has_role(owner, 'usage')
 order by place, name
