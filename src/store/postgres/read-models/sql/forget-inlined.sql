-- Deletes marks before checkpoint $1 is moved to $2 (null: deleted) by hand: those it passes, or all of them when it
-- moves back, because every event beyond it will be applied again. Locks the checkpoint first, as a batch does.
delete from public.evstore_inlined i
 using (select last_position from public.subscription_checkpoints where subscription_id = $1 for update) c
 where i.projection = $1 and i.rebuild = 0
   and ($2::bigint is null or i.global_position <= $2::bigint or $2::bigint < c.last_position)
