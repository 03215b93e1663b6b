-- Returns the oid of this database and of the journal in it, and whether the account may ask for the number of the cluster.
-- Parameters: none.
select d.oid, 'public.evstore_rebuilds'::regclass::oid,
       has_function_privilege('pg_catalog.pg_control_system()', 'execute')
  from pg_database d
 where d.datname = current_database()
