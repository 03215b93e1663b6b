-- Deletes the parked events beyond position ?3 of projection ?1, parts included, for the tables of rebuild ?2 (0: the
-- live ones).
delete from evstore_parked
 where (projection = ?1 or substr(projection, 1, length(?1) + 1) = ?1 || '#') and rebuild = ?2 and global_position > ?3
