-- Writes the row of an instance: saga, instance, version, definition, version of its stream, phase, step, attempt, position of
-- the trigger, correlation id, error, reason, key that it waits under, and when it is due: ?14 a time, or ?15 seconds from
-- now, or null. Holder: ?16 owner, ?17 process, ?18 seconds; with ?19 the present holder stays.
insert into evstore_sagas as s (
  saga, instance, saga_version, definition, stream_version, phase, step, attempt, trigger_position, correlation_id,
  error, reason, wait_key, started_at, since, moved_at, due_at, owner, owner_process, claim_expires_at)
values (
  ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
  strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z', strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z',
  strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z',
  coalesce(?14, strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || ?15 || ' seconds') || '000Z'),
  ?16, ?17, strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || ?18 || ' seconds') || '000Z')
on conflict (saga, instance) do update
  set saga_version = excluded.saga_version, definition = excluded.definition, stream_version = excluded.stream_version,
      phase = excluded.phase, step = excluded.step, attempt = excluded.attempt, error = excluded.error,
      reason = excluded.reason, wait_key = excluded.wait_key, moved_at = excluded.moved_at, due_at = excluded.due_at,
      since = case when s.phase is excluded.phase and s.step is excluded.step then s.since else excluded.since end,
      owner = case when ?19 then s.owner else excluded.owner end,
      owner_process = case when ?19 then s.owner_process else excluded.owner_process end,
      claim_expires_at = case when ?19 then s.claim_expires_at else excluded.claim_expires_at end
