-- The tables of projection $1 and rebuild $2 (0: the live ones) have the events at positions $3 now.
delete from public.evstore_parked
 where projection = $1 and rebuild = $2 and global_position = any ($3::bigint[])
