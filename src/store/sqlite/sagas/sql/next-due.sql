-- Returns in how many milliseconds the next instance of the definitions ?1, a JSON array of [saga, version, hash], can be
-- claimed, 0 for now; null when none is due at any time.
select cast(ceil(max(0, (julianday(min(at)) - julianday('now')) * 86400000)) as integer)
  from (
    select (select min(i.due_at)
              from evstore_sagas i indexed by evstore_sagas_due_idx
             where i.saga = d.value ->> 0 and i.saga_version = d.value ->> 1 and i.definition = d.value ->> 2
               and i.due_at > strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z') as at
      from json_each(?1) as d
    union all
    select (select min(case when i.owner is null then i.due_at else max(i.due_at, i.claim_expires_at) end)
              from evstore_sagas i indexed by evstore_sagas_due_idx
             where i.saga = d.value ->> 0 and i.saga_version = d.value ->> 1 and i.definition = d.value ->> 2
               and i.due_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')
      from json_each(?1) as d)
 where at is not null
