-- The tables of projection ?1 in rebuild ?2 are gone, or begin anew: so are their marks.
delete from evstore_inlined
 where projection = ?1 and rebuild = ?2
