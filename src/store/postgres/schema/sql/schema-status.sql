-- Returns whether schema $1 has the table of migrations, and whether it has a table events. Reads the rows of the
-- catalog: to_regclass() may answer from before a lock was waited for.
select coalesce(bool_or(c.relname = 'evstore_migrations'), false), coalesce(bool_or(c.relname = 'events'), false)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname in ('evstore_migrations', 'events')
