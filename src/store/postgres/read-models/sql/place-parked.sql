-- The events put aside for projection $1 that mark-parked.sql has marked take their new places.
update public.evstore_parked
   set rebuild = -1 - rebuild
 where (projection = $1 or starts_with(projection, $1 || '#')) and rebuild < 0
