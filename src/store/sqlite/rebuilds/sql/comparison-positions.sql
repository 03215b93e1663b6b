-- Returns the positions of rebuild ?1 and of the live tables of its projection: live position, rebuilt position, state.
-- The live position is null without a checkpoint, while its parts are at different ones, and while rows contain events
-- beyond their position.
with live as (
  select r.id, min(c.last_position) as least, max(c.last_position) as furthest
    from evstore_rebuilds r
    join subscription_checkpoints c
      on c.subscription_id = r.projection or substr(c.subscription_id, 1, length(r.projection) + 1) = r.projection || '#'
   where r.id = ?1
   group by r.id
)
select case when l.least = l.furthest
             and not exists (select 1 from evstore_inlined i
                              where i.projection = r.projection
                                and ((i.rebuild = 0 and i.global_position > l.furthest)
                                  or (i.rebuild = r.id and i.global_position > r.position)))
            then l.furthest end,
       r.position, r.state
  from evstore_rebuilds r
  left join live l on l.id = r.id
 where r.id = ?1
