-- Releases the lease with token $2 on rebuild $1.
update public.evstore_rebuilds
   set owner = null, lease_expires_at = null, rate = null
 where id = $1 and token = $2
