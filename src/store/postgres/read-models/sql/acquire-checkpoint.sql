-- Takes the lease on checkpoint $1 for owner $2, process $5, and $3 milliseconds, for code of version $6 and hash $7
-- (null: unknown). With $4 also when it is held, and on all parts of a divided projection. Returns token, generation and
-- position of each; no row when another owner holds it, or there is no checkpoint.
with parts as (
  select subscription_id, generation
    from public.subscription_checkpoints
   where subscription_id = $1 or ($4::boolean and left(subscription_id, length($1) + 1) = $1 || '#')
), lease as (
  select nextval('public.evstore_token_seq') as token, max(generation) as generation from parts
)
update public.subscription_checkpoints c
   set owner = $2, owner_process = $5, token = lease.token, generation = greatest(c.generation, lease.generation),
       lease_expires_at = clock_timestamp() + $3 * interval '1 millisecond',
       code_version = coalesce($6::integer, c.code_version), code_hash = coalesce($7, c.code_hash)
  from lease
 where c.subscription_id in (select subscription_id from parts)
   and (c.owner is null or c.lease_expires_at is null or c.lease_expires_at <= clock_timestamp() or $4::boolean)
returning c.token, c.generation, c.last_position
