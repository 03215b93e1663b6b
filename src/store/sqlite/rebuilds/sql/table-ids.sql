-- Returns the statements that made the tables and views ?1 (a JSON array of names): name, type, statement.
select lower(name), type, sql
  from sqlite_schema
 where type in ('table', 'view') and lower(name) in (select value from json_each(?1))
