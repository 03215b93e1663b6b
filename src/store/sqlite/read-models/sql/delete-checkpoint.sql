-- Deletes checkpoint ?1. Returns a row when there was one.
delete from subscription_checkpoints
 where subscription_id = ?1
returning subscription_id
