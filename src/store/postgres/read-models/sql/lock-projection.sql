-- Projection $1, locked: into how many parts it is divided. No row when there is none of the name.
select parts from public.evstore_projections where name = $1 for update
