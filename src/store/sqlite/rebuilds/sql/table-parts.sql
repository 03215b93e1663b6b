-- Lists the triggers and indexes of table ?1 that a statement made: kind, name, that statement.
select type, name, sql
  from sqlite_schema
 where type in ('trigger', 'index') and lower(tbl_name) = lower(?1) and sql is not null
 order by rowid
