-- Renews the lease with token $2 (generation $3 is always 0) on rebuild $1 for $4 milliseconds, and records rate $5.
-- Returns a row when it is still held.
update public.evstore_rebuilds
   set lease_expires_at = clock_timestamp() + $4 * interval '1 millisecond',
       rate = coalesce($5::double precision, rate)
 where id = $1 and token = $2 and $3 = 0 and owner is not null
returning token
