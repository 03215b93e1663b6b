-- Sets rebuild ?1 back to ready, at position ?2 with last event ?3 and audit ?5; facts ?4 describe what is live.
update evstore_rebuilds
   set state = 'ready', position = ?2, last_event_id = ?3, audit = ?5, facts = ?4, old_version = null, old_code_hash = null,
       old_position = null, old_last_event_id = null, old_target = null, swapped_at = null, keep_old_until = null, updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
 where id = ?1
