-- The tables of projection ?1 and rebuild ?2 (0: the live ones) have the event at position ?3 now.
delete from evstore_parked
 where projection = ?1 and rebuild = ?2 and global_position = ?3
