-- Returns whether the table of migrations exists, and whether a table or view events does. Parameters: none.
select exists (select 1 from sqlite_schema where type = 'table' and name = 'evstore_migrations'),
       exists (select 1 from sqlite_schema where type in ('table', 'view') and lower(name) = 'events')
