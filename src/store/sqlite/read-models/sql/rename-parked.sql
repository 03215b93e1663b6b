-- Gives the parked events of projection ?1, parts included, to projection ?2.
update evstore_parked
   set projection = ?2 || substr(projection, length(?1) + 1)
 where projection = ?1 or substr(projection, 1, length(?1) + 1) = ?1 || '#'
