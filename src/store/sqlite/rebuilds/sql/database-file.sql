-- Returns the file of the store; empty in memory. Parameters: none.
select file from pragma_database_list where name = 'main'
