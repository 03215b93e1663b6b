-- Returns in how many milliseconds the next instance of the definitions ?1, a JSON array of [saga, version, hash], can be
-- claimed, 0 for now; null when none is due at any time. Each part reads a row or two, or the few that are held.
select cast(round(max(0, (julianday(min(at)) - julianday('now')) * 86400000)) as integer)
  from (
    select (select i.due_at
              from evstore_sagas i indexed by evstore_sagas_due_idx
             where i.saga = d.value ->> 0 and i.saga_version = d.value ->> 1 and i.definition = d.value ->> 2
               and i.due_at > strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
             order by i.due_at
             limit 1) as at
      from json_each(?1) as d
    union all
    select (select i.due_at
              from evstore_sagas i indexed by evstore_sagas_due_idx
             where i.saga = d.value ->> 0 and i.saga_version = d.value ->> 1 and i.definition = d.value ->> 2
               and i.due_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' and i.owner is null
             order by i.due_at
             limit 1)
      from json_each(?1) as d
    union all
    select (select min(max(i.due_at, coalesce(i.claim_expires_at, i.due_at)))
              from evstore_sagas i indexed by evstore_sagas_owner_idx
             where i.saga = d.value ->> 0 and i.saga_version = d.value ->> 1 and i.definition = d.value ->> 2
               and i.due_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' and i.owner is not null)
      from json_each(?1) as d)
 where at is not null
