-- Deletes projection $1.
delete from public.evstore_projections where name = $1
