-- Deletes the parked event at position ?3 of projection ?1 and rebuild ?2 (0: the live tables): the tables have it now.
delete from evstore_parked
 where projection = ?1 and rebuild = ?2 and global_position = ?3
