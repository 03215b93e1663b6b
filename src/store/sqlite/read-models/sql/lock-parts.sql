-- Reads the checkpoints of projection ?1, undivided or in parts. Returns id, position, last event, audit, generation,
-- owner of an unexpired lease, version and hash of its code, process of the owner.
select subscription_id, last_position, last_event_id, audit, generation,
       case when lease_expires_at > strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' then owner end, code_version, code_hash, owner_process
  from subscription_checkpoints
 where subscription_id = ?1 or substr(subscription_id, 1, length(?1) + 1) = ?1 || '#'
 order by subscription_id
