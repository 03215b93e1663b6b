-- Moves checkpoint $1 to $2 by hand, if it is at $3 (null: wherever it is). Its audit begins again there. Returns a row
-- when it was moved.
update public.subscription_checkpoints
   set last_position = $2, generation = generation + 1, updated_at = clock_timestamp(),
       last_event_id = (select id from public.events where global_position = $2),
       audit = case when audit is not null then json_build_object('filter', audit ->> 'filter', 'after', $2::bigint, 'events', 0, 'idSum', 0) end
 where subscription_id = $1 and ($3::bigint is null or last_position = $3::bigint)
returning subscription_id
