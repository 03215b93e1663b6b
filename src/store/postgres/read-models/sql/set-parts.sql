-- Sets the number of parts of projection $1 to $2.
update public.evstore_projections set parts = $2 where name = $1
