-- Renews the lease with token $2 and generation $3 on checkpoint $1, or on those of its parts, for $4 milliseconds, and
-- records rate $5. Returns a row when it is still held.
update public.subscription_checkpoints
   set lease_expires_at = clock_timestamp() + $4 * interval '1 millisecond',
       rate = coalesce($5::double precision, rate)
 where (subscription_id = $1 or left(subscription_id, length($1) + 1) = $1 || '#')
   and token = $2 and generation = $3 and owner is not null
returning token
