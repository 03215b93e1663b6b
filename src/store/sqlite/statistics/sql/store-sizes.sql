-- Returns the bytes of each table with its indexes: table, bytes. Reads all pages.
select s.tbl_name, sum(d.pgsize)
  from sqlite_schema s
  join dbstat d on d.name = s.name and d.aggregate = true
 where s.tbl_name not like 'sqlite\_%' escape '\'
 group by s.tbl_name
 order by s.tbl_name
