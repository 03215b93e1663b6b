-- Moves checkpoint ?1 from ?4 to ?5 with last event ?6, under token ?2 and generation ?3. A row when it was still there.
update subscription_checkpoints
   set last_position = ?5, last_event_id = coalesce(?6, last_event_id), updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
 where subscription_id = ?1 and token = ?2 and generation = ?3 and last_position = ?4 and owner is not null
returning subscription_id
