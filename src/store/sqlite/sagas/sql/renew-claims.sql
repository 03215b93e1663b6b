-- Renews for ?2 seconds the claims of owner ?1 on the instances ?3, a JSON array of [saga, instance]. Returns saga and
-- instance of those that it still holds.
update evstore_sagas
   set claim_expires_at = strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || ?2 || ' seconds') || '000Z'
 where owner = ?1 and (saga, instance) in (select k.value ->> 0, k.value ->> 1 from json_each(?3) as k)
returning saga, instance
