-- Takes for owner ?1, process ?2 and ?3 seconds the instances ?4, a JSON array of [saga, instance]. Returns saga, instance and
-- version of the stream.
update evstore_sagas
   set owner = ?1, owner_process = ?2,
       claim_expires_at = strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || ?3 || ' seconds') || '000Z'
 where (saga, instance) in (select k.value ->> 0, k.value ->> 1 from json_each(?4) as k)
returning saga, instance, stream_version
