-- Describes the server, the account and its privileges, which are null without a schema. Columns as in diagnose.ts.
-- Parameters: none.
select current_setting('server_version'), current_setting('server_version_num'), current_user, r.rolsuper,
       pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'),
       current_setting('synchronous_commit'), current_setting('default_transaction_isolation'),
       current_setting('default_transaction_read_only'), current_setting('max_prepared_transactions'),
       has_table_privilege(to_regclass('public.events'), 'SELECT')
         and has_table_privilege(to_regclass('public.evstore_meta'), 'SELECT'),
       has_column_privilege(to_regclass('public.events'), 'event_data', 'INSERT')
         and has_function_privilege(to_regproc('public.evstore_append'), 'EXECUTE'),
       has_table_privilege(to_regclass('public.events'), 'UPDATE, DELETE, TRUNCATE, TRIGGER')
         or has_column_privilege(to_regclass('public.events'), 'global_position', 'INSERT')
         or pg_has_role((select relowner from pg_class where oid = to_regclass('public.events')), 'MEMBER'),
       has_table_privilege(to_regclass('public.evstore_projections'), 'UPDATE')
         and has_schema_privilege((select relnamespace from pg_class where oid = to_regclass('public.events')), 'CREATE'),
       row_security_active(to_regclass('public.events'))
  from pg_roles r
 where r.rolname = current_user
