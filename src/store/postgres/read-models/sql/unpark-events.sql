-- Deletes the parked events at positions $3 of projection $1 and rebuild $2 (0: the live tables): the tables have them
-- now.
delete from public.evstore_parked
 where projection = $1 and rebuild = $2 and global_position = any ($3::bigint[])
