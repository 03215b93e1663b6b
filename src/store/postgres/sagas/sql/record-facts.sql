-- Appends events of many streams, each with its version, and writes the rows of their instances ($8, see
-- shared/sagas.ts). Arrays of stream ids, versions, ids, types, schema versions, data and metadata, in the order in which
-- positions are assigned. Returns stream id, version and position of each event. Fails where row-level security hides
-- events. A claim that ends at -infinity keeps the present holder.
with facts as (
  insert into public.events (id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version)
  select f.id, f.stream_id, 'saga', f.type, f.schema_version, f.data::json, f.metadata::json, f.version
    from unnest(
           case when set_config('row_security', 'off', true) is not null then $1::text[] end,
           $2::bigint[], $3::uuid[], $4::text[], $5::integer[], $6::text[], $7::text[]) with ordinality
           as f(stream_id, version, id, type, schema_version, data, metadata, place)
   order by f.place
  returning stream_id, version, global_position
), instances as (
  insert into public.evstore_sagas as s (
    saga, instance, saga_version, definition, stream_version, phase, step, attempt, trigger_position, correlation_id,
    error, reason, wait_key, started_at, since, moved_at, due_at, owner, owner_process, claim_expires_at)
  select r.saga, r.instance, r."sagaVersion", r.definition, r."streamVersion", r.phase, r.step, r.attempt,
         r."triggerPosition", r."correlationId", r.error, r.reason, r."waitKey", now.at, now.at, now.at,
         coalesce(r."dueAt", now.at + r."dueInMs" * interval '1 millisecond'),
         r.owner, r.process,
         case when r.leaves then '-infinity' else now.at + r."ttlMs" * interval '1 millisecond' end
    from (select clock_timestamp() as at offset 0) as now
   cross join json_to_recordset($8::json) as r(
           saga text, instance text, "sagaVersion" integer, definition text, "streamVersion" bigint, phase text, step text,
           attempt integer, "triggerPosition" bigint, "correlationId" text, error text, reason text, "waitKey" text,
           "dueAt" timestamptz, "dueInMs" double precision, leaves boolean, owner text, process text,
           "ttlMs" double precision)
   order by r.saga, r.instance
  on conflict (saga, instance) do update
    set saga_version = excluded.saga_version, definition = excluded.definition, stream_version = excluded.stream_version,
        phase = excluded.phase, step = excluded.step, attempt = excluded.attempt, error = excluded.error,
        reason = excluded.reason, wait_key = excluded.wait_key, moved_at = excluded.moved_at, due_at = excluded.due_at,
        since = case when (s.phase, s.step) is not distinct from (excluded.phase, excluded.step) then s.since
                     else excluded.since end,
        owner = case when excluded.claim_expires_at = '-infinity' then s.owner else excluded.owner end,
        owner_process =
          case when excluded.claim_expires_at = '-infinity' then s.owner_process else excluded.owner_process end,
        claim_expires_at =
          case when excluded.claim_expires_at = '-infinity' then s.claim_expires_at else excluded.claim_expires_at end
)
select stream_id, version, global_position from facts
