-- Gives the parked events of projection ?1 that mark-parked.sql has marked their new numbers.
update evstore_parked
   set rebuild = -1 - rebuild
 where (projection = ?1 or substr(projection, 1, length(?1) + 1) = ?1 || '#') and rebuild < 0
