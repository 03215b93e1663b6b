-- Takes the lease on checkpoint ?1 for owner ?2, process ?6, and ?3 milliseconds under token ?5, for code of version ?7
-- and hash ?8 (null: unknown). With ?4 also when it is held, and on all parts of a divided projection. Returns token, generation and
-- position of each; no row when another owner holds it, or there is no checkpoint.
update subscription_checkpoints as c
   set owner = ?2, owner_process = ?6, token = ?5,
       generation = (select max(generation) from subscription_checkpoints
                      where subscription_id = ?1 or substr(subscription_id, 1, length(?1) + 1) = ?1 || '#'),
       lease_expires_at = strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || (?3 / 1000.0) || ' seconds') || '000Z',
       code_version = coalesce(?7, c.code_version), code_hash = coalesce(?8, c.code_hash)
 where (c.subscription_id = ?1 or (?4 and substr(c.subscription_id, 1, length(?1) + 1) = ?1 || '#'))
   and (c.owner is null or c.lease_expires_at is null or c.lease_expires_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' or ?4)
returning token, generation, last_position
