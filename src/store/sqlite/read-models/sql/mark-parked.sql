-- Prepares to exchange the parked events of the live tables of projection ?1, parts included, with those of rebuild ?2.
-- The key is checked row by row, so each set first takes an unused number: -1 minus its new one.
update evstore_parked
   set rebuild = -1 - (case rebuild when 0 then ?2 else 0 end)
 where (projection = ?1 or substr(projection, 1, length(?1) + 1) = ?1 || '#') and rebuild in (0, ?2)
