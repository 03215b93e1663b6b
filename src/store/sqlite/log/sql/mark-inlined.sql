-- Marks the events at the positions of the JSON list ?2 as contained in the rows of projection ?1.
insert into evstore_inlined (projection, global_position)
select ?1, value from json_each(?2)
