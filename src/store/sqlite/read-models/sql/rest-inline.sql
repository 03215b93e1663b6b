-- Makes appends leave the events of projection ?1 to its runner for ?2 milliseconds from now; 0 ends it.
update evstore_projections
   set inline_rests_until = strftime('%Y-%m-%dT%H:%M:%f', 'now', (nullif(?2, 0) / 1000.0) || ' seconds')
 where name = ?1
