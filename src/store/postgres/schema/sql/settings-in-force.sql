-- Lists settings of this account: name, value that a session begins with, where it comes from ('role in database', 'role',
-- 'database', 'all roles', or as in pg_settings.source), role, database. Parameters: none.
select s.name, s.reset_val,
       coalesce(
         (select case when d.setrole <> 0 and d.setdatabase <> 0 then 'role in database' when d.setrole <> 0 then 'role'
                      when d.setdatabase <> 0 then 'database' else 'all roles' end
            from pg_db_role_setting d, unnest(d.setconfig) as config
           where split_part(config, '=', 1) = s.name
             and d.setrole in (0, (select oid from pg_roles where rolname = session_user))
             and d.setdatabase in (0, (select oid from pg_database where datname = current_database()))
           order by d.setrole <> 0 and d.setdatabase <> 0 desc, d.setrole <> 0 desc, d.setdatabase <> 0 desc
           limit 1),
         s.source),
       session_user, current_database()
  from pg_settings s
 where s.name in ('fsync', 'full_page_writes', 'synchronous_commit', 'default_transaction_isolation',
                  'default_transaction_read_only', 'statement_timeout', 'transaction_timeout')
