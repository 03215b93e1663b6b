-- Sets rebuild $1 to state $2 with tables $3.
update public.evstore_rebuilds
   set state = $2, tables = $3, updated_at = clock_timestamp()
 where id = $1
