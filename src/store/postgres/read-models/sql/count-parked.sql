-- Counts the parked events of live tables by projection, including those of its parts: name, number of events.
-- Parameters: none.
select split_part(projection, '#', 1) collate "C", count(*)
  from public.evstore_parked
 where rebuild = 0 and state = 'parked'
 group by 1
 order by 1
