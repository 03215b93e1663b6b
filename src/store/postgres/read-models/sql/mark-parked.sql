-- Prepares to exchange the parked events of the live tables of projection $1, parts included, with those of rebuild $2.
-- The key is checked row by row, so each set first takes an unused number: -1 minus its new one.
update public.evstore_parked
   set rebuild = -1 - (case rebuild when 0 then $2::bigint else 0 end)
 where (projection = $1 or starts_with(projection, $1 || '#')) and rebuild in (0, $2)
