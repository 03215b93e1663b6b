-- The events put aside for the live tables of projection ?1, parts included, and for those of rebuild ?2 are to change places: as
-- the key is checked row by row, each set first goes where no other is, to -1 minus its new number.
update evstore_parked
   set rebuild = -1 - (case rebuild when 0 then ?2 else 0 end)
 where (projection = ?1 or substr(projection, 1, length(?1) + 1) = ?1 || '#') and rebuild in (0, ?2)
