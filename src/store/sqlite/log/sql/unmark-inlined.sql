-- Deletes the marks of projection ?1, in rebuild ?2, of the events at positions ?3 (a JSON array). Returns the positions
-- that had one.
delete from evstore_inlined
 where projection = ?1 and rebuild = ?2 and global_position in (select value from json_each(?3))
returning global_position
