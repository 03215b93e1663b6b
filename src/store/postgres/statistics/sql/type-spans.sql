-- Lists the types of events with their first and last position and time. From each type the index leads to the next. A
-- range instead of an equation: otherwise Postgres may look for the last event of a type from the end of the log.
with recursive types (event_type, global_position, created_at) as (
  (select event_type, global_position, created_at
     from public.events
    order by event_type, global_position
    limit 1)
  union all
  select next.event_type, next.global_position, next.created_at
    from types t
   cross join lateral (
      select event_type, global_position, created_at
        from public.events
       where event_type > t.event_type
       order by event_type, global_position
       limit 1
    ) next
)
select t.event_type, t.global_position, to_json(t.created_at at time zone 'UTC') #>> '{}', e.global_position,
       to_json(e.created_at at time zone 'UTC') #>> '{}'
  from types t
 cross join lateral (
    select global_position, created_at
      from public.events
     where event_type <= t.event_type
     order by event_type desc, global_position desc
     limit 1
  ) e
 order by t.event_type
