-- Where rebuild $1 and the live tables of its projection stand: live position, rebuilt position, state. The live position is
-- null without a checkpoint, and while the live rows hold events beyond it.
select c.last_position, r.position, r.state
  from public.evstore_rebuilds r
  left join public.subscription_checkpoints c
    on c.subscription_id = r.projection
   and not exists (select from public.evstore_inlined i
                    where i.projection = r.projection
                      and ((i.rebuild = 0 and i.global_position > c.last_position)
                        or (i.rebuild = r.id and i.global_position > r.position)))
 where r.id = $1
