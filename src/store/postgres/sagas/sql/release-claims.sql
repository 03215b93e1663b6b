-- Releases what owner $1 holds: the instances with the sagas $2 and ids $3, or all when these are null.
update public.evstore_sagas i
   set owner = null, owner_process = null, claim_expires_at = null
 where i.owner = $1
   and ($2::text[] is null
        or exists (select from unnest($2::text[], $3::text[]) as k(saga, instance)
                    where k.saga = i.saga and k.instance = i.instance))
