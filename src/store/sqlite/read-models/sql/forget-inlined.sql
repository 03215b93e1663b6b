-- Deletes marks before checkpoint ?1 is moved to ?2 (null: deleted) by hand: those it passes, or all of them when it
-- moves back, because every event beyond it will be applied again.
delete from evstore_inlined
 where projection = ?1 and rebuild = 0
   and (?2 is null or global_position <= ?2
        or ?2 < (select last_position from subscription_checkpoints where subscription_id = ?1))
