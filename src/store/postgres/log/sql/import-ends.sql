-- Returns for each stream of $1, in their order, its last version (0 when it has no event), whether one of the ids $2 is
-- known, and the time.
select ends.version, exists (select from public.events e where e.id = any($2::uuid[])), clock_timestamp()
  from unnest($1::text[]) with ordinality as s(stream_id, place)
 cross join lateral (
   select coalesce(
     (select e.version from public.events e where e.stream_id = s.stream_id order by e.version desc limit 1), 0) as version
 ) as ends
 order by s.place
