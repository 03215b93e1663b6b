-- Returns the owner of the lease on rebuild $1, and the milliseconds until it expires.
select coalesce(owner, ''),
       coalesce(ceil(extract(epoch from greatest(lease_expires_at - clock_timestamp(), interval '0')) * 1000), 0)
  from public.evstore_rebuilds
 where id = $1
