-- The guards that look at each row on its way in: name, text. Parameters: none.
select name, sql
  from sqlite_schema
 where type = 'trigger' and tbl_name = 'events' and name in ('evstore_order', 'evstore_no_replace')
