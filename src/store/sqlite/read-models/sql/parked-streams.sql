-- Lists the streams of which projection ?1, or a part of it, has parked events for the tables of rebuild ?2 (0: the live
-- ones). The names of parts are those from # to the character after it.
select stream_id
  from evstore_parked
 where projection = ?1 and rebuild = ?2 and state = 'parked'
union
select stream_id
  from evstore_parked
 where projection >= ?1 || '#' and projection < ?1 || '$' and rebuild = ?2 and state = 'parked'
