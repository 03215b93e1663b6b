-- Counts the parked events of live tables by projection, including those of its parts: name, number of events.
-- Parameters: none.
select case when instr(projection, '#') = 0 then projection else substr(projection, 1, instr(projection, '#') - 1) end as name, count(*)
  from evstore_parked
 where rebuild = 0 and state = 'parked'
 group by name
 order by name
