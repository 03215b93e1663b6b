-- The checkpoint of a new projection ?1, at the beginning also when an older one was left behind.
insert into subscription_checkpoints as c (subscription_id)
values (?1)
on conflict (subscription_id) do update
  set last_position = 0, last_event_id = null, audit = null, last_error = null, rate = null, generation = c.generation + 1,
      updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
