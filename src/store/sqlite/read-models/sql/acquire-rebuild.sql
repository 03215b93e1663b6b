-- Takes the lease on rebuild ?1 for owner ?2, process ?6, and ?3 milliseconds under token ?5, also when it is held
-- if ?4. Returns token, 0 and position; no row when another owner holds it.
update evstore_rebuilds
   set owner = ?2, owner_process = ?6, token = ?5,
       lease_expires_at = strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || (?3 / 1000.0) || ' seconds') || '000Z'
 where id = ?1
   and (owner is null or lease_expires_at is null or lease_expires_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' or ?4)
returning token, 0, position
