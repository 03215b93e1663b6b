-- Moves checkpoint ?1 to ?2 by hand, if it is at ?3 (null: wherever it is). Its audit begins again there. Returns a row
-- when it was moved.
update subscription_checkpoints
   set last_position = ?2, generation = generation + 1, updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z',
       last_event_id = (select lower(id) from events where global_position = ?2),
       audit = case when audit is not null then json_object('filter', audit ->> 'filter', 'after', cast(?2 as integer), 'events', 0, 'idSum', 0) end
 where subscription_id = ?1 and (?3 is null or last_position = ?3)
returning subscription_id
