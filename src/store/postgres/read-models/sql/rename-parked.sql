-- Gives the parked events of projection $1, parts included, to projection $2.
update public.evstore_parked
   set projection = $2::text || substr(projection, length($1) + 1)
 where projection = $1 or starts_with(projection, $1 || '#')
