-- Returns the owner of the lease on checkpoint ?1, and the milliseconds until it expires.
select coalesce(owner, ''),
       max(0, cast(coalesce((unixepoch(lease_expires_at, 'subsec') - unixepoch('now', 'subsec')) * 1000, 0) as integer))
  from subscription_checkpoints
 where subscription_id = ?1
