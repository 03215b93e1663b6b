-- Materialized view $1 (oid): how it is stored (access method, options, tablespace), whether it has been filled, its query.
select format(' using %I', a.amname)
       || coalesce(' with (' || array_to_string(nullif(c.reloptions, '{}'), ', ') || ')', '')
       || coalesce(' tablespace ' || quote_ident(s.spcname), ''),
       c.relispopulated::text, rtrim(pg_get_viewdef(c.oid), ';')
  from pg_class c
  join pg_am a on a.oid = c.relam
  left join pg_tablespace s on s.oid = c.reltablespace
 where c.oid = $1::oid
