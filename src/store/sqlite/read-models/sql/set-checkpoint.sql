-- Moves checkpoint ?1 to ?2 by hand; its audit ends. Returns a row when there is such a checkpoint.
update subscription_checkpoints
   set last_position = ?2, generation = generation + 1, audit = null, updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z',
       last_event_id = (select lower(id) from events where global_position = ?2)
 where subscription_id = ?1
returning subscription_id
