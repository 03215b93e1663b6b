-- Creates checkpoint ?1 of a part at position ?2 with last event ?3, audit ?4 and generation ?5; version ?6 and hash ?7
-- are of the code that last asked to run the projection.
insert into subscription_checkpoints
  (subscription_id, last_position, last_event_id, audit, generation, code_version, code_hash)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
