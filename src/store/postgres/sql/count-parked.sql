-- Projections with parked events of their live tables: name, number of events. Parameters: none.
select projection, count(*)
  from public.evstore_parked
 where rebuild = 0 and state = 'parked'
 group by projection
 order by projection collate "C"
