-- Lists instances; shared/sagas.ts fills in the conditions, the order and the limit. Parameters: those of the conditions.
select saga, instance, saga_version, definition, stream_version, phase, step, attempt, trigger_position, correlation_id,
       error, reason, wait_key, to_json(started_at at time zone 'UTC') #>> '{}',
       to_json(since at time zone 'UTC') #>> '{}', to_json(moved_at at time zone 'UTC') #>> '{}',
       to_json(due_at at time zone 'UTC') #>> '{}',
       case when claim_expires_at > clock_timestamp() then owner end
  from public.evstore_sagas
 where /* conditions */ true
 order by /* sort */ saga, instance
