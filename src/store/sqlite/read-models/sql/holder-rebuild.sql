-- Returns the owner of the lease on rebuild ?1, and the milliseconds until it expires.
select coalesce(owner, ''),
       max(0, cast(coalesce((unixepoch(lease_expires_at, 'subsec') - unixepoch('now', 'subsec')) * 1000, 0) as integer))
  from evstore_rebuilds
 where id = ?1
