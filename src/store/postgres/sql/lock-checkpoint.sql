-- Checkpoint $1, locked, if token $2 and generation $3 still hold it: position, last event, audit.
select last_position, last_event_id, audit::text
  from public.subscription_checkpoints
 where subscription_id = $1 and token = $2 and generation = $3 and owner is not null
   for update
