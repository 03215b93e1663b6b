-- Returns the bytes of the tables ?1 (a JSON array of names) with their indexes: table, bytes.
select s.tbl_name, sum(d.pgsize)
  from sqlite_schema s
  join dbstat d on d.name = s.name and d.aggregate = true
 where s.tbl_name in (select value from json_each(?1))
 group by s.tbl_name
