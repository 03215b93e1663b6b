-- The events put aside for projection ?1 that mark-parked.sql has marked take their new places.
update evstore_parked
   set rebuild = -1 - rebuild
 where (projection = ?1 or substr(projection, 1, length(?1) + 1) = ?1 || '#') and rebuild < 0
