-- Statements that give table $2 (quoted) what table $1 (oid) has: owner, options, grants, comments. Columns that $2
-- (oid $3) does not have are left out.
with live as (select * from pg_class where oid = $1::oid),
target as (select * from pg_class where oid = $3::oid),
grants as (
  select a.*, null::name as column_name from live, aclexplode(live.relacl) a where a.grantee <> live.relowner
  union all
  select a.*, t.attname
    from live
    join pg_attribute t on t.attrelid = live.oid and t.attnum > 0 and not t.attisdropped,
         aclexplode(t.attacl) a
   where a.grantee <> live.relowner
     and exists (select from pg_attribute o, target where o.attrelid = target.oid and o.attname = t.attname)
)
select statement
  from (
    select 1 as place, format('alter table %s owner to %I', $2::text, pg_get_userbyid(live.relowner)) as statement
      from live, target
     where live.relowner <> target.relowner
    union all
    select 2, format('alter table %s set (%s)', $2::text, array_to_string(reloptions, ', ')) from live where reloptions <> '{}'
    union all
    select 3, format('grant %s%s on %s to %s%s', privilege_type, ' (' || quote_ident(column_name) || ')', $2::text,
                     case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
                     case when is_grantable then ' with grant option' else '' end)
      from grants
    union all
    select 4, format('comment on table %s is %L', $2::text, obj_description(oid, 'pg_class'))
      from live
     where obj_description(oid, 'pg_class') is not null
    union all
    select 5, format('comment on column %s.%I is %L', $2::text, t.attname, col_description(live.oid, t.attnum))
      from live
      join pg_attribute t on t.attrelid = live.oid and t.attnum > 0 and not t.attisdropped
     where col_description(live.oid, t.attnum) is not null
       and exists (select from pg_attribute o, target where o.attrelid = target.oid and o.attname = t.attname)
  ) as statements
 order by place, statement
