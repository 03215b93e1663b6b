-- Lists the journal, newest first, of projection ?1 unless null, only rebuild ?2 unless null. Columns as in journal.ts.
select id, projection, version, code_hash, state, position, tables, old_version, old_code_hash, old_position,
       case when lease_expires_at > strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' then owner end, created_at, updated_at, swapped_at, keep_old_until,
       target, old_target, owner_process
  from evstore_rebuilds
 where (?1 is null or projection = ?1) and (?2 is null or id = ?2)
 order by id desc
