-- Renews the lease with token ?2 and generation ?3 on checkpoint ?1, or on those of its parts, for ?4 milliseconds, and
-- records rate ?5. Returns a row when it is still held.
update subscription_checkpoints
   set lease_expires_at = strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || (?4 / 1000.0) || ' seconds') || '000Z', rate = coalesce(?5, rate)
 where (subscription_id = ?1 or substr(subscription_id, 1, length(?1) + 1) = ?1 || '#')
   and token = ?2 and generation = ?3 and owner is not null
returning token
