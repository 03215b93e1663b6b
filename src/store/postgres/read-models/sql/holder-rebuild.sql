-- Returns the owner of the lease on rebuild $1, the milliseconds until it expires, its token and the process.
select coalesce(owner, ''),
       coalesce(ceil(extract(epoch from greatest(lease_expires_at - clock_timestamp(), interval '0')) * 1000), 0),
       token, owner_process
  from public.evstore_rebuilds
 where id = $1
