-- Counts the events of type $1, up to $2. Ranges and an order: otherwise Postgres may look for them from the beginning of the
-- log.
select count(*)
  from (
    select
      from public.events
     where event_type >= $1 and event_type <= $1
     order by event_type, global_position
     limit $2
  ) found
