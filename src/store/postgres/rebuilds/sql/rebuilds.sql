-- Lists the journal, newest first, of projection $1 unless null, only rebuild $2 unless null. Columns as in journal.ts.
select id, projection, version, code_hash, state, position, tables::text, old_version, old_code_hash, old_position,
       case when lease_expires_at > clock_timestamp() then owner end, to_json(created_at at time zone 'UTC') #>> '{}',
       to_json(updated_at at time zone 'UTC') #>> '{}', to_json(swapped_at at time zone 'UTC') #>> '{}',
       to_json(keep_old_until at time zone 'UTC') #>> '{}', target, old_target, owner_process
  from public.evstore_rebuilds
 where ($1::text is null or projection = $1) and ($2::bigint is null or id = $2)
 order by id desc
