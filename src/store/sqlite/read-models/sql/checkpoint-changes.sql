-- Lists the changes by hand of checkpoint ?1 (null: of all), newest first. Returns its name, the time, positions before and
-- after, the events between them, whether those were estimated, who, the command, and the reason.
select subscription_id, changed_at, from_position, to_position, events, estimated, changed_by, command, reason
  from evstore_checkpoint_changes
 where (?1 is null or subscription_id = ?1)
 order by id desc
