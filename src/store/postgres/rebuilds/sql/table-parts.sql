-- Lists what may have been added to relation $1 (oid) by hand: kind, name, schema of the name, definition (without name
-- and relation), the statement that creates it on the relation of that name (null: created from its definition, or not
-- at all), the one that drops it, then JSON arrays: statements to run once it exists, columns it needs.
with t as (
  select c.oid, c.relname, c.relkind, n.nspname, format('%I.%I', n.nspname, c.relname) as target
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.oid = $1::oid
),
indexes as (
  select t.target, i.*, x.relname, t.nspname, coalesce(k.oid, 0) as constraint_oid, coalesce(k.contype, '-') as contype,
         substr(pg_get_indexdef(x.oid),
                length(format('CREATE %sINDEX %I ON %s ', case when i.indisunique then 'UNIQUE ' else '' end,
                              x.relname, t.target)) + 1) as tail
    from t
    join pg_index i on i.indrelid = t.oid
    join pg_class x on x.oid = i.indexrelid
    left join pg_constraint k on k.conindid = x.oid and k.conrelid = t.oid and k.contype in ('p', 'u', 'x')
   where i.indisvalid
),
parts as (
  select case contype when '-' then 'index' when 'p' then 'primary key' else 'constraint' end as kind, relname as name,
         nspname as space,
         case when contype <> '-' then pg_get_constraintdef(constraint_oid)
              else case when indisunique then 'unique ' else '' end || tail end as definition,
         null as make, null as drop,
         array[
           case when obj_description(indexrelid, 'pg_class') is not null then
             format('comment on index %I.%I is %L', nspname, relname, obj_description(indexrelid, 'pg_class')) end,
           case when obj_description(constraint_oid, 'pg_constraint') is not null then
             format('comment on constraint %I on %s is %L', relname, target,
                    obj_description(constraint_oid, 'pg_constraint')) end,
           case when indisclustered then format('alter table %s cluster on %I', target, relname) end
         ] || array(
           select format('alter index %I.%I alter column %s set statistics %s', nspname, relname, a.attnum, a.attstattarget)
             from pg_attribute a
            where a.attrelid = indexrelid and a.attstattarget >= 0) as finish,
         case contype when '-' then 'pg_class'::regclass else 'pg_constraint'::regclass end as classid,
         case contype when '-' then indexrelid else constraint_oid end as objid
    from indexes
  union all
  select 'check', k.conname, t.nspname, pg_get_constraintdef(k.oid), null, null,
         array[
           case when obj_description(k.oid, 'pg_constraint') is not null then
             format('comment on constraint %I on %s is %L', k.conname, t.target, obj_description(k.oid, 'pg_constraint'))
           end],
         'pg_constraint'::regclass, k.oid
    from t
    join pg_constraint k on k.conrelid = t.oid and k.contype = 'c'
  union all
  select 'statistics', s.stxname, n.nspname,
         substr(definition, head + 1, length(definition) - head - length(' FROM ' || t.target)), null, null,
         array[
           format('alter statistics %I.%I owner to %I', n.nspname, s.stxname, pg_get_userbyid(s.stxowner)),
           case when s.stxstattarget >= 0 then
             format('alter statistics %I.%I set statistics %s', n.nspname, s.stxname, s.stxstattarget) end,
           case when obj_description(s.oid, 'pg_statistic_ext') is not null then
             format('comment on statistics %I.%I is %L', n.nspname, s.stxname, obj_description(s.oid, 'pg_statistic_ext'))
           end],
         'pg_statistic_ext'::regclass, s.oid
    from t
    join pg_statistic_ext s on s.stxrelid = t.oid
    join pg_namespace n on n.oid = s.stxnamespace,
         lateral (select pg_get_statisticsobjdef(s.oid) as definition,
                         length(format('CREATE STATISTICS %I.%I', n.nspname, s.stxname)) as head) as d
  union all
  select 'trigger', g.tgname, t.nspname, null, pg_get_triggerdef(g.oid), format('drop trigger %I on %s', g.tgname, t.target),
         array[
           case when g.tgenabled <> 'O' then
             format('alter table %s %s trigger %I', t.target,
                    case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end,
                    g.tgname) end,
           case when obj_description(g.oid, 'pg_trigger') is not null then
             format('comment on trigger %I on %s is %L', g.tgname, t.target, obj_description(g.oid, 'pg_trigger')) end],
         'pg_trigger'::regclass, g.oid
    from t
    join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
  union all
  select 'policy', p.polname, t.nspname, null,
         format('create policy %I on %s as %s for %s to %s', p.polname, t.target,
                case when p.polpermissive then 'permissive' else 'restrictive' end,
                case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                              else 'delete' end,
                (select string_agg(case r when 0 then 'public' else quote_ident(pg_get_userbyid(r)) end, ', ')
                   from unnest(p.polroles) r))
         || coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
         || coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''),
         format('drop policy %I on %s', p.polname, t.target),
         array[
           case when obj_description(p.oid, 'pg_policy') is not null then
             format('comment on policy %I on %s is %L', p.polname, t.target, obj_description(p.oid, 'pg_policy')) end],
         'pg_policy'::regclass, p.oid
    from t
    join pg_policy p on p.polrelid = t.oid
  union all
  select 'rule', r.rulename, t.nspname, null, pg_get_ruledef(r.oid), format('drop rule %I on %s', r.rulename, t.target),
         array[
           case when r.ev_enabled <> 'O' then
             format('alter table %s %s rule %I', t.target,
                    case r.ev_enabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end,
                    r.rulename) end,
           case when obj_description(r.oid, 'pg_rewrite') is not null then
             format('comment on rule %I on %s is %L', r.rulename, t.target, obj_description(r.oid, 'pg_rewrite')) end],
         'pg_rewrite'::regclass, r.oid
    from t
    join pg_rewrite r on r.ev_class = t.oid and r.rulename <> '_RETURN'
  union all
  -- The values of serial, identity and generated columns belong to the definition.
  select 'default', a.attname, t.nspname, null,
         case when a.attidentity = '' and a.attgenerated = '' and pg_get_serial_sequence(t.target, a.attname) is null then
           format('alter table %s alter column %I set default %s', t.target, a.attname, pg_get_expr(d.adbin, d.adrelid)) end,
         null, '{}', 'pg_attrdef'::regclass, d.oid
    from t
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where t.relkind = 'r' and (d.oid is not null or a.attidentity <> '')
)
select kind, name, space, definition, make, drop, to_json(array_remove(finish, null)),
       (select coalesce(json_agg(distinct a.attname), '[]')
          from pg_depend d
          join t on d.refobjid = t.oid
          join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
         where d.classid = parts.classid and d.objid = parts.objid and d.refclassid = 'pg_class'::regclass
           and d.refobjsubid > 0)
  from parts
 order by kind, name
