-- Projection ?1: into how many parts it is divided. No row when there is none of the name.
select parts from evstore_projections where name = ?1
