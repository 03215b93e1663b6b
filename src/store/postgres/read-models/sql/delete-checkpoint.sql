-- Deletes checkpoint $1, if it is at $2 (null: wherever it is). Returns a row when it was deleted.
delete from public.subscription_checkpoints
 where subscription_id = $1 and ($2::bigint is null or last_position = $2::bigint)
returning subscription_id
