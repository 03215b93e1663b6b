-- Lists the triggers on events, by any program: name, and the statement that made it. Parameters: none.
select name, sql from sqlite_schema where type = 'trigger' and tbl_name = 'events' collate nocase
