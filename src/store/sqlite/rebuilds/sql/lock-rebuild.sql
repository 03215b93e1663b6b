-- Reads rebuild ?1 if token ?2 (null: any) still holds it. Returns state, position, last event, tables, facts, version,
-- code hash, the old version, code hash, position and last event, the audit, target and old target.
select state, position, last_event_id, tables, facts, version, code_hash, old_version, old_code_hash, old_position,
       old_last_event_id, audit, target, old_target
  from evstore_rebuilds
 where id = ?1 and (?2 is null or (token = ?2 and owner is not null))
