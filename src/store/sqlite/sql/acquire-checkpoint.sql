-- Lease on checkpoint ?1 for owner ?2 and ?3 milliseconds, also when held if ?4, under token ?5. Token, generation and
-- position; no row when somebody else holds it.
insert into subscription_checkpoints as c (subscription_id, owner, token, lease_expires_at)
values (?1, ?2, ?5, strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || (?3 / 1000.0) || ' seconds') || '000Z')
on conflict (subscription_id) do update
  set owner = excluded.owner, token = excluded.token, lease_expires_at = excluded.lease_expires_at
  where c.owner is null or c.lease_expires_at is null or c.lease_expires_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' or ?4
returning token, generation, last_position
