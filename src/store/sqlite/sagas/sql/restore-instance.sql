-- Writes the row of an instance as folded from its stream, unless the row contains more. Parameters ?1 to ?15 as in
-- record-instance.sql, where ?15 seconds count from ?18; then ?16 its start, ?17 since when, ?18 its last move. The holder
-- stays.
insert into evstore_sagas as s (
  saga, instance, saga_version, definition, stream_version, phase, step, attempt, trigger_position, correlation_id,
  error, reason, wait_key, started_at, since, moved_at, due_at)
values (
  ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?16, ?17, ?18,
  coalesce(?14, strftime('%Y-%m-%dT%H:%M:%f', ?18, '+' || ?15 || ' seconds') || '000Z'))
on conflict (saga, instance) do update
  set saga_version = excluded.saga_version, definition = excluded.definition, stream_version = excluded.stream_version,
      phase = excluded.phase, step = excluded.step, attempt = excluded.attempt,
      trigger_position = excluded.trigger_position, correlation_id = excluded.correlation_id, error = excluded.error,
      reason = excluded.reason, wait_key = excluded.wait_key, started_at = excluded.started_at, since = excluded.since,
      moved_at = excluded.moved_at, due_at = excluded.due_at
  where s.stream_version <= excluded.stream_version
