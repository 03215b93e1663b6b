-- Moves checkpoint $1 to $2 by hand; its audit ends. Returns a row when there is such a checkpoint.
update public.subscription_checkpoints
   set last_position = $2, generation = generation + 1, audit = null, updated_at = clock_timestamp(),
       last_event_id = (select id from public.events where global_position = $2)
 where subscription_id = $1
returning subscription_id
