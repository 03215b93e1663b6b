-- Exchanges the marks of the live tables of projection $1 with those of rebuild $2. No event is marked for both: only
-- the append that wrote it marks it.
update public.evstore_inlined
   set rebuild = case when rebuild = 0 then $2::bigint else 0 end
 where projection = $1 and rebuild in (0, $2::bigint)
