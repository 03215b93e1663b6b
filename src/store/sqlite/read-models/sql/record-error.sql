-- Stores error ?2, or null, with checkpoint ?1.
update subscription_checkpoints
   set last_error = ?2
 where subscription_id = ?1
