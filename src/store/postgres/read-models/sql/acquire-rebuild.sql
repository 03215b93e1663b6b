-- Takes the lease on rebuild $1 for owner $2, process $5, and $3 milliseconds, also when it is held if $4. Returns
-- token, 0 and position; no row when another owner holds it.
update public.evstore_rebuilds
   set owner = $2, owner_process = $5, token = nextval('public.evstore_token_seq'),
       lease_expires_at = clock_timestamp() + $3 * interval '1 millisecond'
 where id = $1
   and (owner is null or lease_expires_at is null or lease_expires_at <= clock_timestamp() or $4::boolean)
returning token, 0, position
