-- Lists what hangs on table ?1: what (`self`, `index`, `carried`, `blocking`), kind, name. ?2 is a pattern of GLOB for text,
-- in lower case, that names the table; the guards of evstore name none, whatever words they contain.
select 'self', type, name from sqlite_schema where type in ('table', 'view') and name = ?1
union all
select 'index', 'index', name from sqlite_schema where type = 'index' and tbl_name = ?1 and sql is not null
union all
select 'carried', type, name from sqlite_schema
 where ((type = 'view' and name <> ?1) or (type = 'trigger' and lower(tbl_name) <> lower(?1) and name not glob 'evstore_*'))
   and lower(' ' || sql || ' ') glob ?2
union all
select distinct 'carried', 'foreign key', m.name
  from sqlite_schema m, pragma_foreign_key_list(m.name) f
 where m.type = 'table' and m.name <> ?1 and lower(f."table") = lower(?1)
union all
select 'carried', 'trigger', name from sqlite_schema where type = 'trigger' and lower(tbl_name) = lower(?1)
union all
select 'blocking', 'view', name from sqlite_schema where type = 'view' and name = ?1
 order by 1, 2, 3
