-- Returns the unfinished rebuild of projection ?1: id, state, owner of an unexpired lease, its process.
select id, state, case when lease_expires_at > strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' then owner end, owner_process
  from evstore_rebuilds
 where projection = ?1 and state in ('planned', 'filling', 'ready')
