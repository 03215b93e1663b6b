-- Records that checkpoint $1 was moved by hand from $2 to $3 (null: deleted), past $4 events ($5: estimated), by $6
-- with command $7, for reason $8.
insert into public.evstore_checkpoint_changes
  (subscription_id, from_position, to_position, events, estimated, changed_by, command, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8)
