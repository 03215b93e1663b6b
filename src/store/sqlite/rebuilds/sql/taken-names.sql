-- Returns those of the names ?1 (a JSON array) that a new table could not have: name.
select lower(name)
  from sqlite_schema
 where type in ('table', 'view', 'index') and lower(name) in (select value from json_each(?1))
 order by 1
