-- Tables and views by the names ?1 (a JSON array): name, type, the text that made it.
select lower(name), type, sql
  from sqlite_schema
 where type in ('table', 'view') and lower(name) in (select value from json_each(?1))
