-- Lists the types of events with their first and last position and time. From each type the index leads to the next.
with recursive types (event_type) as (
  select (select event_type from events where event_type >= '' order by event_type limit 1)
  union all
  select (select e.event_type from events e where e.event_type > t.event_type order by e.event_type limit 1)
    from types t
   where t.event_type is not null
)
select t.event_type, f.global_position, f.created_at, l.global_position, l.created_at
  from types t
  join events f on f.global_position = (
    select global_position from events where event_type = t.event_type order by global_position limit 1)
  join events l on l.global_position = (
    select global_position from events where event_type = t.event_type order by global_position desc limit 1)
 order by t.event_type
