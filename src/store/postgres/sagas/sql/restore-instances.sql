-- Writes the rows $1 (see shared/sagas.ts) as folded from their streams, unless a row contains more. Holders stay.
insert into public.evstore_sagas as s (
  saga, instance, saga_version, definition, stream_version, phase, step, attempt, trigger_position, correlation_id,
  error, reason, wait_key, started_at, since, moved_at, due_at)
select r.saga, r.instance, r."sagaVersion", r.definition, r."streamVersion", r.phase, r.step, r.attempt,
       r."triggerPosition", r."correlationId", r.error, r.reason, r."waitKey", r."startedAt", r.since, r."movedAt",
       coalesce(r."dueAt", r."movedAt" + r."dueInMs" * interval '1 millisecond')
  from json_to_recordset($1::json) as r(
         saga text, instance text, "sagaVersion" integer, definition text, "streamVersion" bigint, phase text, step text,
         attempt integer, "triggerPosition" bigint, "correlationId" text, error text, reason text, "waitKey" text,
         "startedAt" timestamptz, since timestamptz, "movedAt" timestamptz, "dueAt" timestamptz,
         "dueInMs" double precision)
 order by r.saga, r.instance
on conflict (saga, instance) do update
  set saga_version = excluded.saga_version, definition = excluded.definition, stream_version = excluded.stream_version,
      phase = excluded.phase, step = excluded.step, attempt = excluded.attempt,
      trigger_position = excluded.trigger_position, correlation_id = excluded.correlation_id, error = excluded.error,
      reason = excluded.reason, wait_key = excluded.wait_key, started_at = excluded.started_at, since = excluded.since,
      moved_at = excluded.moved_at, due_at = excluded.due_at
  where s.stream_version <= excluded.stream_version
