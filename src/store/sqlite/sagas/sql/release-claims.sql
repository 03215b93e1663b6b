-- Releases what owner ?1 holds: the instances ?2, a JSON array of [saga, instance], or all when that is null.
update evstore_sagas
   set owner = null, owner_process = null, claim_expires_at = null
 where owner = ?1
   and (?2 is null or (saga, instance) in (select k.value ->> 0, k.value ->> 1 from json_each(?2) as k))
