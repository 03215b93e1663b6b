-- Sets checkpoint ?1, or those of its parts, to position ?2, last event ?3 and audit ?4 of what is live now. Their
-- generation rises, and the code that asked to run them is unknown.
update subscription_checkpoints
   set last_position = ?2, last_event_id = ?3, audit = ?4, generation = generation + 1, code_version = null, code_hash = null,
       updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
 where subscription_id = ?1 or substr(subscription_id, 1, length(?1) + 1) = ?1 || '#'
