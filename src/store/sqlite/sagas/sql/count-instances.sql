-- Counts instances by saga, version, definition and phase, with the time since the oldest is at its step: of saga ?1, or of
-- all when that is null.
select saga, saga_version, definition, phase, count(*), min(since)
  from evstore_sagas
 where ?1 is null or saga = ?1
 group by saga, saga_version, definition, phase
 order by saga, saga_version, definition, phase
