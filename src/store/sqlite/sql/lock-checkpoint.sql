-- Checkpoint ?1, if token ?2 and generation ?3 still hold it: position, last event, audit.
select last_position, last_event_id, audit
  from subscription_checkpoints
 where subscription_id = ?1 and token = ?2 and generation = ?3 and owner is not null
