-- Lists the tables that are named as a rebuild names its tables: name, null (measuring one means reading it). Parameters: none.
select name, null
  from sqlite_schema
 where type = 'table' and (name glob '*__v[0-9]*_[0-9]*' or name glob '*__old_[0-9]*')
 order by 1
