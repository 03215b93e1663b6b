-- Returns the owner of the lease on rebuild ?1, the milliseconds until it expires, its token and the process.
select coalesce(owner, ''),
       max(0, cast(coalesce((unixepoch(lease_expires_at, 'subsec') - unixepoch('now', 'subsec')) * 1000, 0) as integer)),
       token, owner_process
  from evstore_rebuilds
 where id = ?1
