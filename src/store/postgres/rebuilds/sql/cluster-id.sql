-- Returns the number that initdb gave the cluster. Parameters: none.
select system_identifier from pg_control_system()
