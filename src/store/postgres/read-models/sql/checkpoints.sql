-- Lists every subscription: id, position, time, generation, last event, owner of an unexpired lease, rate, error,
-- version and hash of the code that last asked to run it, process of the owner. Parameters: none.
select subscription_id, last_position, to_json(updated_at at time zone 'UTC') #>> '{}', generation, last_event_id,
       case when lease_expires_at > clock_timestamp() then owner end, rate, last_error,
       code_version, code_hash, owner_process
  from public.subscription_checkpoints
 order by subscription_id collate "C"
