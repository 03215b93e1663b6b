-- Lists the columns of table ?1, in order: name, declared type, place in the primary key from 1 (null outside of it),
-- whether it may be null. No rows without such a table.
select name, lower(type), nullif(pk, 0), not "notnull"
  from pragma_table_xinfo(?1)
 where hidden <> 1
 order by cid
