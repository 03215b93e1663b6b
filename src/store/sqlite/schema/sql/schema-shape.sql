-- Lists the columns, keys and indexes of every table as texts: table, text. Parameters: none.
select t.name, 'column ' || c.name || ' ' || c.type || iif(c."notnull", ' not null', '') || iif(c.pk, ' key', '')
               || ' default ' || coalesce(c.dflt_value, 'null')
  from sqlite_schema t, pragma_table_xinfo(t.name) c
 where t.type = 'table' and t.name not like 'sqlite\_%' escape '\'
union all
select t.name, iif(i."unique", 'unique ', '') || 'index '
               || (select group_concat(coalesce(x.name, 'expression'), ', ') from pragma_index_info(i.name) x)
  from sqlite_schema t, pragma_index_list(t.name) i
 where t.type = 'table' and t.name not like 'sqlite\_%' escape '\'
 order by 1, 2
