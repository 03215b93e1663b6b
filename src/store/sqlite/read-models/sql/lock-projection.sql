-- Returns the number of parts of projection ?1; no row when there is no such projection.
select parts from evstore_projections where name = ?1
