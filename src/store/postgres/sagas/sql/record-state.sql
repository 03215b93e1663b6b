-- Reads in one snapshot, for each of the streams $1, in their order: its last version, and the version and position of the
-- event with the id of the same place in $2, if that event is in the stream; otherwise nulls.
select coalesce(
         (select e.version from public.events e where e.stream_id = s.stream_id order by e.version desc limit 1), 0),
       k.version, k.global_position
  from unnest($1::text[], $2::uuid[]) with ordinality as s(stream_id, id, place)
  left join public.events k on k.id = s.id and k.stream_id = s.stream_id
 order by s.place
