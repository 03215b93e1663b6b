-- Takes the marks of projection ?1, in rebuild ?2, off the events at the positions of the JSON list ?3. The positions that
-- had one.
delete from evstore_inlined
 where projection = ?1 and rebuild = ?2 and global_position in (select value from json_each(?3))
returning global_position
