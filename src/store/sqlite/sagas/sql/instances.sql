-- Lists instances; shared/sagas.ts fills in the conditions, the order and the limit. Parameters: those of the conditions.
select saga, instance, saga_version, definition, stream_version, phase, step, attempt, trigger_position, correlation_id,
       error, reason, wait_key, started_at, since, moved_at, due_at,
       case when claim_expires_at > strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' then owner end
  from evstore_sagas
 where /* conditions */ true
 order by /* sort */ saga, instance
