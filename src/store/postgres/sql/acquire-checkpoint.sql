-- Lease on checkpoint $1 for owner $2 and $3 milliseconds, also when held if $4. Token, generation and position; no row
-- when somebody else holds it.
insert into public.subscription_checkpoints as c (subscription_id, owner, token, lease_expires_at)
values ($1, $2, nextval('public.evstore_token_seq'), clock_timestamp() + $3 * interval '1 millisecond')
on conflict (subscription_id) do update
  set owner = excluded.owner, token = excluded.token,
      lease_expires_at = clock_timestamp() + $3 * interval '1 millisecond'
  where c.owner is null or c.lease_expires_at is null or c.lease_expires_at <= clock_timestamp() or $4::boolean
returning token, generation, last_position
