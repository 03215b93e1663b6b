-- Renews the lease with token ?2 (generation ?3 is always 0) on rebuild ?1 for ?4 milliseconds, and records rate ?5.
-- Returns a row when it is still held.
update evstore_rebuilds
   set lease_expires_at = strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || (?4 / 1000.0) || ' seconds') || '000Z', rate = coalesce(?5, rate)
 where id = ?1 and token = ?2 and ?3 = 0 and owner is not null
returning token
