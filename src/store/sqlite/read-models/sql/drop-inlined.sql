-- Deletes the marks of projection ?1 in rebuild ?2 (0: the live tables): its tables were dropped or are empty.
delete from evstore_inlined
 where projection = ?1 and rebuild = ?2
