-- Renews for $2 milliseconds the claims of owner $1 on the instances with the sagas $3 and ids $4. Returns saga and instance
-- of those that it still holds.
update public.evstore_sagas i
   set claim_expires_at = clock_timestamp() + $2 * interval '1 millisecond'
  from unnest($3::text[], $4::text[]) as k(saga, instance)
 where i.saga = k.saga and i.instance = k.instance and i.owner = $1
returning i.saga, i.instance
