-- Lists foreign keys of and to the tables $1 (oids) that the tables $2 (oids, in the same order) replace: name, the
-- table it is on and the one it refers to with their oids (name, oid, name, oid), the statement that creates it under a
-- name beginning with $3 (null: there is one like it), two statements to run before the tables exchange names (one drops
-- it, one gives the new one its name), the one that finishes it afterwards (null: nothing to do), the name of the new
-- one until then.
with pairs as (select * from unnest($1::oid[], $2::oid[]) as p(old, new)),
keys as (
  select k.oid, k.conname, k.conrelid, k.confrelid, coalesce(c.new, k.conrelid) as child,
         coalesce(p.new, k.confrelid) as parent, c.old is not null and p.old is not null as is_inner, c.old is null as is_in,
         described.*
    from pg_constraint k
    left join pairs c on c.old = k.conrelid
    left join pairs p on p.old = k.confrelid,
         lateral (
           select (select string_agg(quote_ident(a.attname), ', ' order by place)
                     from unnest(k.conkey) with ordinality as u(attnum, place)
                     join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum) as columns,
                  pg_get_constraintdef(k.oid) as definition) as described
   where k.contype = 'f' and k.conparentid = 0 and (c.old is not null or p.old is not null)
),
keyed as (
  select k.*, $3::text || row_number() over (order by k.conrelid, k.conname) as new_name, format('%I.%I', n.nspname, r.relname) as child_old,
         format('%I.%I', m.nspname, s.relname) as child_new,
         f.target as parent_old, format('%I.%I', o.nspname, q.relname) as parent_new,
         substr(k.definition, strpos(k.definition, ') REFERENCES ' || f.target || '(')
                              + length(') REFERENCES ' || f.target || '(')) as tail
    from keys k
    join pg_class r on r.oid = k.conrelid join pg_namespace n on n.oid = r.relnamespace
    join pg_class s on s.oid = k.child join pg_namespace m on m.oid = s.relnamespace
    join pg_class q on q.oid = k.parent join pg_namespace o on o.oid = q.relnamespace
    join (select c.oid, format('%I.%I', n.nspname, c.relname) as target
            from pg_class c
            join pg_namespace n on n.oid = c.relnamespace) as f on f.oid = k.confrelid
)
select k.conname, k.child_old, k.conrelid, k.parent_old, k.confrelid,
       case when e.conname is null then
         format('alter table %s add constraint %I foreign key (%s) references %s(%s', k.child_new, k.new_name, k.columns,
                k.parent_new, k.tail) end,
       case when not k.is_inner then format('alter table %s drop constraint %I', k.child_old, k.conname) end,
       case when coalesce(e.conname, k.new_name) <> k.conname then
         format('alter table %s rename constraint %I to %I', k.child_new, coalesce(e.conname, k.new_name), k.conname) end,
       case when obj_description(k.oid, 'pg_constraint') is not null then
         format('comment on constraint %I on %s is %L', k.conname, k.child_old, obj_description(k.oid, 'pg_constraint'))
       end,
       coalesce(e.conname, k.new_name)
  from keyed k
  left join lateral (
    select x.conname
      from pg_constraint x
      join pg_class c on c.oid = x.confrelid
      join pg_namespace n on n.oid = c.relnamespace
     where not k.is_in and x.contype = 'f' and x.conrelid = k.child and x.confrelid = k.parent
       and pg_get_constraintdef(x.oid)
           = format('FOREIGN KEY (%s) REFERENCES %s(%s', k.columns, k.parent_new, k.tail)
     order by x.conname
     limit 1) as e on true
 order by k.conrelid, k.conname
