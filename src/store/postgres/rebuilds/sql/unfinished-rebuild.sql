-- Returns the unfinished rebuild of projection $1: id, state, owner of an unexpired lease, its process.
select id, state, case when lease_expires_at > clock_timestamp() then owner end, owner_process
  from public.evstore_rebuilds
 where projection = $1 and state in ('planned', 'filling', 'ready')
