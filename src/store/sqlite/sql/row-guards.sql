-- The guards that look at each row on its way in: name, text. None where somebody else has a trigger on events, which may
-- insert events of its own. Parameters: none.
select name, sql
  from sqlite_schema
 where type = 'trigger' and tbl_name = 'events' and name in ('evstore_order', 'evstore_no_replace')
   and not exists (select 1 from sqlite_schema
                    where type = 'trigger' and tbl_name = 'events' and name not like 'evstore\_%' escape '\')
