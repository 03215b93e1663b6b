-- Gives the marks of projection ?1 to projection ?2.
update evstore_inlined
   set projection = ?2
 where projection = ?1
