-- Takes for owner ?1, process ?2 and ?3 seconds up to ?4 instances that are due and not held, of the definitions ?5: a JSON
-- array of [saga, version, hash]. Returns saga, instance and version of the stream.
update evstore_sagas
   set owner = ?1, owner_process = ?2,
       claim_expires_at = strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || ?3 || ' seconds') || '000Z'
 where (saga, instance) in (
   select i.saga, i.instance
     from json_each(?5) as d
     join evstore_sagas i indexed by evstore_sagas_due_idx
       on i.saga = d.value ->> 0 and i.saga_version = d.value ->> 1 and i.definition = d.value ->> 2
    where i.due_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
      and (i.owner is null or i.claim_expires_at is null
           or i.claim_expires_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')
    order by i.due_at
    limit ?4)
returning saga, instance, stream_version
