-- Locks the checkpoints of projection $1, undivided or in parts. Returns id, position, last event, audit, generation,
-- owner of an unexpired lease, version and hash of its code, process of the owner.
select subscription_id, last_position, last_event_id, audit::text, generation,
       case when lease_expires_at > clock_timestamp() then owner end, code_version, code_hash, owner_process
  from public.subscription_checkpoints
 where subscription_id = $1 or left(subscription_id, length($1) + 1) = $1 || '#'
 order by subscription_id collate "C"
   for update
