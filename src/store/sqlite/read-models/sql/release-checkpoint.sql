-- Releases the lease with token ?2 on checkpoint ?1, or on those of its parts.
update subscription_checkpoints
   set owner = null, lease_expires_at = null, rate = null
 where (subscription_id = ?1 or substr(subscription_id, 1, length(?1) + 1) = ?1 || '#')
   and token = ?2
