-- Projection $1 is divided into $2 parts.
update public.evstore_projections set parts = $2 where name = $1
