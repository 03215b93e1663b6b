-- Keeps error ?2, or none, beside checkpoint ?1.
update subscription_checkpoints
   set last_error = ?2
 where subscription_id = ?1
