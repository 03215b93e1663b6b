-- Before checkpoint $1 moves to $2 (null: goes away) by hand: the marks it passes go, and all of them when it moves back,
-- since everything beyond it is then to be applied again. The checkpoint is locked first, as in a batch.
delete from public.evstore_inlined i
 using (select last_position from public.subscription_checkpoints where subscription_id = $1 for update) c
 where i.projection = $1 and i.rebuild = 0
   and ($2::bigint is null or i.global_position <= $2::bigint or $2::bigint < c.last_position)
