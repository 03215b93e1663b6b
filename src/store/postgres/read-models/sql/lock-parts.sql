-- The checkpoints of projection $1, whole or in parts, locked: id, position, last event, audit, generation, owner of a lease
-- that has not expired, version and hash of its code.
select subscription_id, last_position, last_event_id, audit::text, generation,
       case when lease_expires_at > clock_timestamp() then owner end, code_version, code_hash
  from public.subscription_checkpoints
 where subscription_id = $1 or left(subscription_id, length($1) + 1) = $1 || '#'
 order by subscription_id collate "C"
   for update
