-- Lists the columns, constraints and indexes of schema $1 as texts without the name of the schema: table, text.
select c.relname,
       format('column %s %s%s%s default %s', a.attname, format_type(a.atttypid, a.atttypmod),
              case when a.attnotnull then ' not null' end,
              case a.attidentity when '' then '' else ' identity' end,
              coalesce(replace(pg_get_expr(d.adbin, d.adrelid), quote_ident($1) || '.', ''), 'null'))
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
 where c.relnamespace = (select oid from pg_namespace where nspname = $1) and c.relkind = 'r'
union all
select c.relname, format('constraint %s %s', k.conname, replace(pg_get_constraintdef(k.oid), quote_ident($1) || '.', ''))
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
 where k.connamespace = (select oid from pg_namespace where nspname = $1) and k.contype in ('p', 'u', 'c', 'f')
union all
select c.relname, format('index %s', replace(pg_get_indexdef(i.indexrelid), quote_ident($1) || '.', ''))
  from pg_index i
  join pg_class c on c.oid = i.indrelid
 where c.relnamespace = (select oid from pg_namespace where nspname = $1)
 order by 1, 2
