-- Before checkpoint ?1 moves to ?2 (null: goes away) by hand: the marks it passes go, and all of them when it moves back,
-- since everything beyond it is then to be applied again.
delete from evstore_inlined
 where projection = ?1 and rebuild = 0
   and (?2 is null or global_position <= ?2
        or ?2 < (select last_position from subscription_checkpoints where subscription_id = ?1))
