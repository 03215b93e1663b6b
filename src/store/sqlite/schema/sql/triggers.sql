-- The triggers on events, whoever made them: name, and the text that makes it. Parameters: none.
select name, sql from sqlite_schema where type = 'trigger' and tbl_name = 'events' collate nocase
