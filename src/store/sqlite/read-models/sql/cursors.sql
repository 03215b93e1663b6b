-- Lists every checkpoint, and the tables of every rebuild that still exist: name, rebuild, position, last event,
-- position of that event in the log, audit. Parameters: none.
with cursors (name, rebuild, position, last_event_id, audit) as (
  select subscription_id, null, last_position, last_event_id, audit
    from subscription_checkpoints
  union all
  select projection, id, case state when 'swapped' then old_position else position end,
         case state when 'swapped' then old_last_event_id else last_event_id end, audit
    from evstore_rebuilds
   where state in ('filling', 'ready') or (state = 'swapped' and old_position is not null)
)
select name, rebuild, position, last_event_id,
       (select min(global_position) from events e where e.id = c.last_event_id), audit
  from cursors c
 order by name, rebuild nulls first
