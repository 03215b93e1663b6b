-- Sets the target of rebuild ?1 to ?2, if the rows of its projection are outside this database.
update evstore_rebuilds as r
   set target = ?2
 where r.id = ?1
   and exists (select 1 from evstore_projections p where p.name = r.projection and p.target is not null)
