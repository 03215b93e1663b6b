-- Deletes projection ?1.
delete from evstore_projections where name = ?1
