-- Checkpoint $1 takes position $2, last event $3 and audit $4 of what is live now; its generation rises.
update public.subscription_checkpoints
   set last_position = $2, last_event_id = $3, audit = $4, generation = generation + 1, updated_at = clock_timestamp()
 where subscription_id = $1
