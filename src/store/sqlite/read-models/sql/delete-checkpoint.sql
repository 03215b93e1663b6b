-- Deletes checkpoint ?1, if it is at ?2 (null: wherever it is). Returns a row when it was deleted.
delete from subscription_checkpoints
 where subscription_id = ?1 and (?2 is null or last_position = ?2)
returning subscription_id
