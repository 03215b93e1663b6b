-- Moves the cursor of the tables that rebuild ?1 replaced from ?4 to ?5 with last event ?6, under token ?2 (generation ?3
-- is always 0). A row when it was still there.
update evstore_rebuilds
   set old_position = ?5, old_last_event_id = coalesce(?6, old_last_event_id), updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
 where id = ?1 and token = ?2 and ?3 = 0 and old_position = ?4 and owner is not null and state = 'swapped'
returning id
