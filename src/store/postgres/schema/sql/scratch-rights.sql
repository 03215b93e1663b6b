-- Returns the database, the account, and whether it may create a schema. Parameters: none.
select current_database(), current_user, has_database_privilege(current_database(), 'CREATE')
