-- Sets the checkpoint of the new projection ?1 to position 0, also when an older projection left one behind.
insert into subscription_checkpoints as c (subscription_id)
values (?1)
on conflict (subscription_id) do update
  set last_position = 0, last_event_id = null, audit = null, last_error = null, rate = null, generation = c.generation + 1,
      updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
