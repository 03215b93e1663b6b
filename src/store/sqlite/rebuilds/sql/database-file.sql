-- The file of the store; empty in memory.
select file from pragma_database_list where name = 'main'
