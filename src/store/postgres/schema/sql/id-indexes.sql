-- Describes those indexes of events whose names are in $1: name, whether it can be used, comment, bytes, whether a process
-- is making it.
select c.relname, i.indisvalid and i.indisready, obj_description(c.oid, 'pg_class'), pg_relation_size(c.oid),
       exists (select from pg_stat_progress_create_index p where p.index_relid = c.oid)
  from pg_class c
  join pg_index i on i.indexrelid = c.oid
 where i.indrelid = 'public.events'::regclass and c.relname = any($1::text[])
