-- Deletes the marks of projection $1, in rebuild $2, of the events at positions $3. Returns the positions that had one.
delete from public.evstore_inlined
 where projection = $1 and rebuild = $2 and global_position = any($3::bigint[])
returning global_position
