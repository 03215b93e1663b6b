-- Deletes checkpoint $1. Returns a row when there was one.
delete from public.subscription_checkpoints
 where subscription_id = $1
returning subscription_id
