-- Lists what relation $1 (oid) has and relation $2 (oid), which replaces it, must have: when (`empty`: before there is a
-- row in it, `early`: before it is analyzed, `off`: before the two exchange names, `on`: after), kind, name, statement.
-- Columns that $2 does not have are left out.
with live as (
  select c.*, n.nspname, format('%I.%I', n.nspname, c.relname) as target,
         case c.relkind when 'm' then 'materialized view' else 'table' end as what
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.oid = $1::oid
),
next as (
  select c.*, format('%I.%I', n.nspname, c.relname) as target
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.oid = $2::oid
),
shared as (
  select l.attnum, l.attname, l.attacl, l.atttypid = x.atttypid as is_same_type,
         l.attstattarget, x.attstattarget as next_stattarget, l.attoptions, x.attoptions as next_options,
         l.attstorage, x.attstorage as next_storage, l.attcompression, x.attcompression as next_compression
    from live
    join pg_attribute l on l.attrelid = live.oid and l.attnum > 0 and not l.attisdropped,
         next
    join pg_attribute x on x.attrelid = next.oid and x.attnum > 0 and not x.attisdropped
   where x.attname = l.attname
),
grants as (
  select a.grantor, a.grantee, a.privilege_type, a.is_grantable, null::name as column_name
    from live, aclexplode(live.relacl) a
   where a.grantee <> live.relowner
  union all
  select a.grantor, a.grantee, a.privilege_type, a.is_grantable, s.attname
    from live, shared s, aclexplode(s.attacl) a
   where a.grantee <> live.relowner
),
-- Granted to the new relation by ALTER DEFAULT PRIVILEGES alone.
by_default as (
  select distinct a.grantee, a.privilege_type
    from next
    join pg_default_acl d on d.defaclrole = next.relowner and d.defaclobjtype = 'r'
                         and d.defaclnamespace in (0, next.relnamespace),
         aclexplode(d.defaclacl) a
   where a.grantee <> next.relowner
),
sequences as (
  select s.oid, a.attname, s.relowner, s.relacl, x.relnamespace::regnamespace as space, x.relname as next_name
    from live
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = live.oid and d.classid = 'pg_class'::regclass
                    and d.deptype in ('a', 'i')
    join pg_class s on s.oid = d.objid and s.relkind = 'S'
    join pg_attribute a on a.attrelid = live.oid and a.attnum = d.refobjsubid,
         next
    join pg_attribute b on b.attrelid = next.oid
    join pg_depend e on e.refclassid = 'pg_class'::regclass and e.refobjid = next.oid and e.refobjsubid = b.attnum
                    and e.classid = 'pg_class'::regclass and e.deptype in ('a', 'i')
    join pg_class x on x.oid = e.objid and x.relkind = 'S'
   where b.attname = a.attname
),
publications as (
  select p.pubname, to_jsonb(r) ->> 'prattrs' is not null as has_columns, to_jsonb(v) as listed
    from live
    join pg_publication_rel r on r.prrelid = live.oid
    join pg_publication p on p.oid = r.prpubid
    left join pg_publication_tables v on v.pubname = p.pubname and v.schemaname = live.nspname
                                     and v.tablename = live.relname
)
select phase, kind, name, statement
  from (
    select 'empty' as phase, 1 as place, 'tablespace' as kind, s.spcname::text as name,
           format('alter table %s set tablespace %I', next.target, s.spcname) as statement
      from live, next, pg_tablespace s
     where live.relkind = 'r' and s.oid = live.reltablespace and live.reltablespace <> next.reltablespace
    union all
    select 'empty', 2, 'unlogged table', live.relname::text, format('alter table %s set unlogged', next.target)
      from live, next
     where live.relpersistence = 'u' and next.relpersistence = 'p'
    union all
    select 'early', 1, 'statistics target', attname::text,
           format('alter table %s alter column %I set statistics %s', next.target, attname, attstattarget)
      from next, shared
     where attstattarget >= 0 and attstattarget is distinct from next_stattarget
    union all
    select 'early', 2, 'column option', attname::text,
           format('alter table %s alter column %I set (%s)', next.target, attname, array_to_string(attoptions, ', '))
      from next, shared
     where attoptions <> '{}' and attoptions is distinct from next_options
    union all
    select 'early', 3, 'column storage', attname::text,
           format('alter table %s alter column %I set storage %s', next.target, attname,
                  case attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end)
      from next, shared
     where is_same_type and attstorage <> next_storage
    union all
    select 'early', 4, 'column compression', attname::text,
           format('alter table %s alter column %I set compression %s', next.target, attname,
                  case attcompression when 'l' then 'lz4' else 'pglz' end)
      from next, shared
     where is_same_type and attcompression <> '' and attcompression <> next_compression
    union all
    select 'off', 1, 'publication', pubname::text, format('alter publication %I drop table only %s', pubname, live.target)
      from live, publications
    union all
    select 'off', 2, 'grant', a.grantee::text,
           format('revoke all on %s from %s', live.target,
                  case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end)
      from live, (select distinct grantee from grants) a
    union all
    select 'off', 3, 'row security', live.relname::text, format('alter table %s no force row level security', live.target)
      from live
     where live.relforcerowsecurity
    union all
    select 'off', 4, 'grant', a.privilege_type,
           format('grant %s on sequence %s.%I to %s%s', a.privilege_type, s.space, s.next_name,
                  case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
                  case when a.is_grantable then ' with grant option' else '' end)
      from sequences s, aclexplode(s.relacl) a
     where a.grantee <> s.relowner
    union all
    select 'off', 5, 'comment', next_name::text,
           format('comment on sequence %s.%I is %L', space, next_name, obj_description(oid, 'pg_class'))
      from sequences
     where obj_description(oid, 'pg_class') is not null
    union all
    select 'on', 1, 'owner', pg_get_userbyid(live.relowner)::text,
           format('alter table %s owner to %I', live.target, pg_get_userbyid(live.relowner))
      from live, next
     where live.relowner <> next.relowner
    union all
    select 'on', 2, 'storage option', live.relname::text,
           format('alter table %s set (%s)', live.target, array_to_string(live.reloptions, ', '))
      from live
     where live.reloptions <> '{}'
    union all
    select 'on', 3, 'grant', privilege_type,
           format('revoke %s on %s from %s', privilege_type, live.target,
                  case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end)
      from live, by_default b
     where not exists (select from grants g
                        where g.grantee = b.grantee and g.privilege_type = b.privilege_type and g.column_name is null)
    union all
    select 'on', 4, 'grant', privilege_type,
           format('grant %s%s on %s to %s%s', privilege_type, ' (' || quote_ident(column_name) || ')', live.target,
                  case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
                  case when is_grantable then ' with grant option' else '' end)
      from live, grants
    union all
    select 'on', 5, 'comment', live.relname::text,
           format('comment on %s %s is %L', live.what, live.target, obj_description(live.oid, 'pg_class'))
      from live
     where obj_description(live.oid, 'pg_class') is not null
    union all
    select 'on', 6, 'comment', s.attname::text,
           format('comment on column %s.%I is %L', live.target, s.attname, col_description(live.oid, s.attnum))
      from live, shared s
     where col_description(live.oid, s.attnum) is not null
    union all
    select 'on', 7, 'row security', live.relname::text, format('alter table %s enable row level security', live.target)
      from live
     where live.relrowsecurity
    union all
    select 'on', 8, 'row security', live.relname::text, format('alter table %s force row level security', live.target)
      from live
     where live.relforcerowsecurity
    union all
    select 'on', 9, 'replica identity', live.relname::text,
           format('alter table %s replica identity %s', live.target,
                  case live.relreplident when 'f' then 'full' when 'n' then 'nothing' when 'd' then 'default'
                    else (select format('using index %I', x.relname)
                            from pg_index i
                            join pg_class x on x.oid = i.indexrelid
                           where i.indrelid = live.oid and i.indisreplident) end)
      from live, next
     where live.relkind = 'r' and (live.relreplident <> next.relreplident or live.relreplident = 'i')
    union all
    select 'on', 10, 'publication', pubname::text,
           format('alter publication %I add table only %s', pubname, live.target)
           || case when has_columns then
                (select format(' (%s)', string_agg(quote_ident(c), ', '))
                   from jsonb_array_elements_text(listed -> 'attnames') c) else '' end
           || coalesce(' where (' || (listed ->> 'rowfilter') || ')', '')
      from live, publications
  ) as statements
 order by phase, place, name, statement
