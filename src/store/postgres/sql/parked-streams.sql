-- Streams of which projection $1, or a part of it, has parked events, for the tables of rebuild $2 (0: the live ones).
select distinct stream_id
  from public.evstore_parked
 where (projection = $1 or starts_with(projection, $1 || '#')) and rebuild = $2 and state = 'parked'
