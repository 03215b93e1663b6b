-- Returns the statements that made those indexes of events whose names are in the list ?1: name, statement.
select name, sql
  from sqlite_schema
 where type = 'index' and tbl_name = 'events' and name in (select value from json_each(?1))
