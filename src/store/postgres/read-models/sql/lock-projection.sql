-- Locks projection $1 and returns its number of parts; no row when there is no such projection.
select parts from public.evstore_projections where name = $1 for update
