-- Locks checkpoint $1, or those of its parts, that token $2 and generation $3 still hold. Returns position, last event
-- and audit of each, and the number of parts.
select last_position, last_event_id, audit::text,
       coalesce((select parts from public.evstore_projections where name = $1), 1)
  from public.subscription_checkpoints
 where (subscription_id = $1 or left(subscription_id, length($1) + 1) = $1 || '#')
   and token = $2 and generation = $3 and owner is not null
 order by subscription_id collate "C"
   for update
