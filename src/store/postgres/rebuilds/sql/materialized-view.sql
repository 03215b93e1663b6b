-- Describes materialized view $1 (oid): its storage (access method, options, tablespace), whether it is filled, its
-- query.
select format(' using %I', a.amname)
       || coalesce(' with (' || array_to_string(nullif(c.reloptions, '{}'), ', ') || ')', '')
       || coalesce(' tablespace ' || quote_ident(s.spcname), ''),
       c.relispopulated::text, rtrim(pg_get_viewdef(c.oid), ';')
  from pg_class c
  join pg_am a on a.oid = c.relam
  left join pg_tablespace s on s.oid = c.reltablespace
 where c.oid = $1::oid
